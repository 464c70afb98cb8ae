import type { KindDefinition } from "#api/kind.ts";

/** Every key of this server in a store begins so, as upstream's keys do. */
export const storePrefix = "/registry/";

/** Where an object stands in a store; `key` is `namespace/name`, or `name`. */
export function storeKeyOf({ resource: { plural } }: KindDefinition, key: string): string {
  return `${storePrefix}${plural}/${key}`;
}

/** What stands in the place of a plural in the keys of claims. Upstream keeps what it has given out under the same name. */
export const claimsPlural = "ranges";

/** `name` as in `servicenodeports/30001`. */
export function claimKeyOf(name: string): string {
  return `${storePrefix}${claimsPlural}/${name}`;
}

/** What stands in a key where the plural is. */
export function pluralOf(key: string): string {
  return key.slice(storePrefix.length, key.indexOf("/", storePrefix.length));
}

export function isClaim({ key }: { readonly key: string }): boolean {
  return pluralOf(key) === claimsPlural;
}
