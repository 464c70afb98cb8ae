import { inNamespace, runCommand } from "../command.ts";
import type { ProxyNode } from "../mode.ts";

/** Lets a process of the node reach node ports at 127.0.0.1; where it is forbidden, every other address works. */
export async function allowLoopback({ netns }: ProxyNode): Promise<void> {
  await runCommand(inNamespace(netns, ["sysctl", "-q", "-w", "net.ipv4.conf.all.route_localnet=1"]));
}
