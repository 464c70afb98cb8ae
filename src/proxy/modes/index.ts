import type { Log } from "#base/log.ts";
import type { ModeDefinition, ModeProbe } from "../definition.ts";
import type { ProxyModeName, ProxyNode } from "../mode.ts";
import { iptables } from "./iptables/mode.ts";
import { nftables } from "./nftables/mode.ts";
import { userspace } from "./userspace/mode.ts";

/** The modes there are, best first: this is the order in which `auto` tries them. */
export const modes: readonly ModeDefinition[] = [nftables, iptables, userspace];

export type ModeChoice =
  | { readonly mode: ModeDefinition; readonly reason: string }
  | { readonly mode?: undefined; readonly code: "mode-not-built" | "mode-does-not-work"; readonly message: string };

/**
 * The mode to use on a node. A mode that was asked for by name is never changed silently: when it cannot work, the
 * answer is why, and which modes there are.
 */
export async function chooseMode(
  requested: ProxyModeName | "auto",
  probe: (mode: ModeDefinition) => Promise<ModeProbe>,
  available: readonly ModeDefinition[] = modes,
): Promise<ModeChoice> {
  const names = available.map(({ name }) => name).join(", ");
  const others = `use one of ${names}, or auto`;
  if (requested !== "auto") {
    const mode = available.find(({ name }) => name === requested);
    if (mode === undefined) {
      const message = `proxy mode ${requested} is not built yet in this version; ${others}`;
      return { code: "mode-not-built", message };
    }
    const probed = await probe(mode);
    if (probed.works) return { mode, reason: "asked for" };
    return { code: "mode-does-not-work", message: `proxy mode ${requested}: ${probed.reason}; ${others}` };
  }
  const refused: string[] = [];
  for (const mode of available) {
    const probed = await probe(mode);
    if (!probed.works) refused.push(`${mode.name}: ${probed.reason}`);
    else return { mode, reason: refused.length === 0 ? "the best mode works here" : refused.join("; ") };
  }
  return { code: "mode-does-not-work", message: `no proxy mode works here: ${refused.join("; ")}` };
}

/**
 * Removes the rules that an earlier run in another mode left on the node: two modes at once would each send the same
 * packet somewhere. Nothing of it needs the node in the mode that changes no kernel.
 */
export async function cleanUpOthers(chosen: ModeDefinition, node: ProxyNode, log: Log): Promise<void> {
  if (chosen.name === "userspace") return;
  for (const other of modes.filter(({ name }) => name !== chosen.name)) {
    try {
      await other.cleanup(node);
    } catch (error) {
      const text = "rules of an earlier proxy mode could not be removed, and may misdirect traffic";
      log.warn({ node: node.name, mode: other.name, error: String(error) }, text);
    }
  }
}
