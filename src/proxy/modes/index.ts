import type { Log } from "#base/log.ts";
import type { ModeDefinition, ModeProbe } from "../definition.ts";
import type { ProxyModeName, ProxyNode } from "../mode.ts";
import { iptables } from "./iptables/mode.ts";
import { ipvs } from "./ipvs/mode.ts";
import { nftables } from "./nftables/mode.ts";
import { userspace } from "./userspace/mode.ts";

/** The modes there are, best first: this is the order in which `auto` tries them. */
export const modes: readonly ModeDefinition[] = [nftables, iptables, ipvs, userspace];

export type ModeChoice =
  | {
      readonly mode: ModeDefinition;
      readonly reason: string;
      /** Set when it is another mode than was asked for, or than the best: why. */
      readonly warning?: string;
    }
  | { readonly mode?: undefined; readonly code: "mode-does-not-work"; readonly message: string };

/**
 * The mode to use on a node. A mode that was asked for by name is never changed silently: when it cannot work, its
 * fallback is taken with a warning, as early releases of upstream do; without one the answer is why, and which modes
 * there are.
 */
export async function chooseMode(
  requested: ProxyModeName | "auto",
  probe: (mode: ModeDefinition) => Promise<ModeProbe>,
  available: readonly ModeDefinition[] = modes,
): Promise<ModeChoice> {
  const refused: string[] = [];
  let candidates = [...available];
  if (requested !== "auto") {
    const mode = available.find(({ name }) => name === requested);
    candidates = available.filter(({ name }) => name === requested || name === mode?.fallback);
    candidates.sort((a, b) => Number(b === mode) - Number(a === mode));
  }
  for (const mode of candidates) {
    const probed = await probe(mode);
    if (!probed.works) refused.push(`${mode.name}: ${probed.reason}`);
    else if (refused.length > 0) {
      const reason = refused.join("; ");
      return { mode, reason, warning: `proxy mode ${mode.name} is used, not ${reason}` };
    } else return { mode, reason: requested === "auto" ? "the best mode works here" : "asked for" };
  }
  const why = refused.join("; ");
  if (requested === "auto") return { code: "mode-does-not-work", message: `no proxy mode works here: ${why}` };
  const names = available.map(({ name }) => name).join(", ");
  return { code: "mode-does-not-work", message: `proxy mode ${why}; use one of ${names}, or auto` };
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
