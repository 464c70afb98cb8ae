import { sourceOf, type Loser } from "../because.ts";
import type { Claim, Claimant } from "./claim.ts";
import { placeOf } from "./path.ts";

/** A claim that got its place, and those that wanted the same one. */
export interface Chosen {
  readonly claimant: Claimant;
  readonly claim: Claim;
  readonly losers: readonly Loser[];
}

/**
 * Who gets which path of a host: the oldest Ingress for each, its first rule for it; a default backend only where no
 * rule wants `/`. `hasRoot` tells whether anyone takes all that is left.
 */
export function chooseClaims(
  host: string,
  claimants: readonly Claimant[],
): { chosen: readonly Chosen[]; hasRoot: boolean } {
  const places = new Map<string, { claimant: Claimant; claim: Claim; losers: Loser[] }>();
  const lose = (place: string, claimant: Claimant, claim: Claim): boolean => {
    const winner = places.get(place);
    if (winner === undefined) return false;
    const by = `${winner.claimant.ingress.metadata.namespace}/${winner.claimant.ingress.metadata.name}`;
    const why = winner.claimant === claimant ? "has it in an earlier field" : "is older";
    const reason =
      claim.isDefault && !winner.claim.isDefault
        ? `a rule of ${by} has / on ${host}, and rules go before default backends`
        : `${claim.path} on ${host} belongs to ${by}, which ${why}`;
    winner.losers.push({ ...sourceOf(claimant.ingress, claim.field), reason });
    return true;
  };
  for (const isDefault of [false, true]) {
    for (const claimant of claimants) {
      for (const claim of claimant.claims) {
        if (claim.isDefault !== isDefault) continue;
        const place = placeOf(claim);
        if (!lose(place, claimant, claim)) places.set(place, { claimant, claim, losers: [] });
      }
    }
  }
  return { chosen: [...places.values()], hasRoot: places.has("/") };
}
