import { runOn } from "../command.ts";
import type { ProxyNode } from "../mode.ts";

/**
 * Lets a process of the node reach node ports at 127.0.0.1; where it is forbidden, every other address works. For ::1 the
 * kernel has nothing of the kind: it never lets a packet of ::1 out, whatever it is translated to.
 */
export async function allowLoopback(node: ProxyNode): Promise<void> {
  if (node.family === 6) return;
  await runOn(node, ["sysctl", "-q", "-w", "net.ipv4.conf.all.route_localnet=1"]);
}
