/** The user name of a ServiceAccount (upstream: `pkg/serviceaccount/util.go`). */
export function accountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** The groups every ServiceAccount of a namespace is in. */
export function accountGroups(namespace: string): string[] {
  return ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
}

/** The inverse of `accountUser`; `undefined` for users that are no ServiceAccount. */
export function parseAccountUser(user: string): { namespace: string; name: string } | undefined {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user);
  return match === null ? undefined : { namespace: match[1] ?? "", name: match[2] ?? "" };
}
