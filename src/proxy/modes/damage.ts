import type { ElementLedger, LedgerElement } from "./ledger.ts";

/** What another program did to one thing of a mode, in a sentence that names it; `id` tells the same from another. */
export interface Damage {
  readonly text: string;
  /** The rules themselves are touched, and not only what they look things up in. */
  readonly isStructure: boolean;
}

/** The Service behind an element, in brackets; nothing for what is nobody's. */
export function ownerNote<P extends string>(ledger: ElementLedger<P>, { set, key }: LedgerElement<P>): string {
  const owner = ledger.ownerOf(set, key);
  const id = owner?.includes(" ") === true ? owner.slice(owner.indexOf(" ") + 1) : "";
  const service = /^[^:]+/.exec(id)?.[0];
  return service === undefined || service === "" ? "" : ` (Service ${service})`;
}

/** The first few of many, for an Event or a line of the log. */
export function summarize(damage: readonly Damage[], most = 3): string {
  const texts = damage.slice(0, most).map(({ text }) => text);
  const rest = damage.length - texts.length;
  return `${texts.join("; ")}${rest > 0 ? `; and ${rest} more` : ""}`;
}

/**
 * What stands differently without anybody's doing is how this machine's programs print it: it is learnt where the
 * kernel's generation shows that nobody was there, and is no damage afterwards.
 */
export interface KnownWords {
  learn(found: readonly Damage[]): void;
  without(found: readonly Damage[]): Damage[];
}

export function createKnownWords(): KnownWords {
  const known = new Set<string>();
  return {
    learn(found) {
      for (const { text } of found) known.add(text);
    },
    without: (found) => found.filter(({ text }) => !known.has(text)),
  };
}
