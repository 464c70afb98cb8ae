import { sameValue } from "#api/meta/field-errors.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Subject } from "#api/rbac/binding.ts";
import type { ClusterRole } from "#api/rbac/clusterrole/kind.ts";
import type { ClusterRoleBinding } from "#api/rbac/clusterrolebinding/kind.ts";
import type { Client, New } from "#client/contract.ts";
import { defaultRoles, type DefaultRole } from "./auth/rbac/default-roles.ts";

const autoUpdate = "rbac.authorization.kubernetes.io/autoupdate";
const annotations = { [autoUpdate]: "true" };
const labels = { "kubernetes.io/bootstrapping": "rbac-defaults" };

/**
 * Creates the roles and bindings that every cluster has, and gives back to them what was taken away; one whose
 * annotation `autoupdate` is `false` is its owner's affair. What has been added stays.
 */
export async function bootstrapRoles(client: Client): Promise<void> {
  await Promise.all(
    defaultRoles.flatMap((role) => [
      ensureRole(client, role),
      ...(role.subjects === undefined ? [] : [ensureBinding(client, role.name, role.subjects)]),
    ]),
  );
}

async function ensureRole(client: Client, { name, rules = [], aggregates, label }: DefaultRole): Promise<void> {
  const before = await client.get("ClusterRole", { name });
  if (before === undefined) {
    const own = label === undefined ? {} : { [label]: "true" };
    const role: New<ClusterRole> = { metadata: { name, annotations, labels: { ...labels, ...own } } };
    if (aggregates === undefined) role.rules = [...rules];
    else role.aggregationRule = { clusterRoleSelectors: [{ matchLabels: { [aggregates]: "true" } }] };
    return unlessThere(client.create("ClusterRole", role));
  }
  const held = before.rules ?? [];
  const missing = rules.filter((rule) => !held.some((other) => sameValue(rule, other)));
  if (missing.length === 0 || before.metadata.annotations?.[autoUpdate] === "false") return;
  await client.patch("ClusterRole", { name }, { rules: [...held, ...missing] });
}

async function ensureBinding(client: Client, name: string, subjects: readonly Subject[]): Promise<void> {
  const before = await client.get("ClusterRoleBinding", { name });
  if (before === undefined) {
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole" as const, name };
    const binding: New<ClusterRoleBinding> = {
      metadata: { name, annotations, labels },
      roleRef,
      subjects: subjects.map((subject) => ({ ...subject })),
    };
    return unlessThere(client.create("ClusterRoleBinding", binding));
  }
  const held = before.subjects ?? [];
  const missing = subjects.filter((subject) => !held.some((other) => isSame(subject, other)));
  if (missing.length === 0 || before.metadata.annotations?.[autoUpdate] === "false") return;
  await client.patch("ClusterRoleBinding", { name }, { subjects: [...held, ...missing] });
}

function isSame(a: Subject, b: Subject): boolean {
  return a.kind === b.kind && a.name === b.name && a.namespace === b.namespace;
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isApiError(error, "AlreadyExists")) throw error;
  }
}
