import type { UserInfo } from "#api/admission.ts";

/** The group of the agents. */
export const nodes = "system:nodes";

const prefix = "system:node:";

/** The user an agent signs in as for its node. */
export function nodeUser(node: string): string {
  return prefix + node;
}

/**
 * Which node a user is; `undefined` for everybody else, and empty where the name says none (upstream:
 * `pkg/auth/nodeidentifier/default.go`).
 */
export function nodeOf({ name, groups }: UserInfo): string | undefined {
  return name.startsWith(prefix) && groups.includes(nodes) ? name.slice(prefix.length) : undefined;
}
