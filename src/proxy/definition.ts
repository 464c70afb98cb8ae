import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { ProxyMode, ProxyModeName, ProxyNode } from "./mode.ts";

/** Whether a mode can work on a node, found out by trying and not by looking for modules. */
export type ModeProbe = { readonly works: true } | { readonly works: false; readonly reason: string };

/** A mode before it is started: one line of the list in `modes/index.ts`. */
export interface ModeDefinition {
  readonly name: ProxyModeName;
  /** The mode to use, with a warning, where this one was asked for and does not work. */
  readonly fallback?: ProxyModeName;
  /** Leaves nothing behind. */
  probe(node: ProxyNode): Promise<ModeProbe>;
  start(node: ProxyNode, deps: { readonly log: Log; readonly clock?: Clock }): ProxyMode;
  /** Removes what an earlier run of this mode left on the node; safe when there is nothing. */
  cleanup(node: ProxyNode): Promise<void>;
}
