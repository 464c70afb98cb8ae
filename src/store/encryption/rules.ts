import type { Cipher } from "./cipher.ts";

/** How the objects of some resources are kept. The first way is used to write, all are tried to read. */
export interface EncryptionRule {
  /** `secrets`, `deployments.apps`, `*.apps`, `*.` (all of the core group) or `*.*`, as upstream writes them. */
  readonly resources: readonly string[];
  readonly ways: readonly Way[];
}

/** `identity`: as it is. */
export type Way = Cipher | "identity";

export interface EncryptionRules {
  /** The ways of a resource; `identity` alone where no rule names it. */
  waysOf(plural: string, group: string): readonly Way[];
}

const asItIs: readonly Way[] = ["identity"];

/** The first rule that names a resource counts (upstream: `apiserver/pkg/server/options/encryptionconfig`). */
export function compileRules(rules: readonly EncryptionRule[]): EncryptionRules {
  return {
    waysOf(plural, group) {
      const names = new Set([group === "" ? plural : `${plural}.${group}`, `*.${group}`, "*.*"]);
      return rules.find(({ resources }) => resources.some((resource) => names.has(resource)))?.ways ?? asItIs;
    },
  };
}
