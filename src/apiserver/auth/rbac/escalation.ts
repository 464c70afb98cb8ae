import type { Admission, UserInfo } from "#api/admission.ts";
import { splitApiVersion, type KubeObject } from "#api/meta/object.ts";
import { ApiError } from "#api/meta/status.ts";
import type { BindingFields } from "#api/rbac/binding.ts";
import type { ClusterRole } from "#api/rbac/clusterrole/kind.ts";
import type { PolicyRule } from "#api/rbac/rule.ts";
import { resources } from "#api/resources.ts";
import type { KindName } from "#api/types.ts";
import { forbidden, qualified } from "../../registry/errors.ts";
import { sameValue } from "#base/value.ts";
import { masters, type Authorizer } from "../authorize.ts";
import { findUncovered, listText, ruleText } from "./covers.ts";
import { roleKeyOf, type RbacTable } from "./table.ts";

const everything: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];
const shownRules = 100;

/**
 * Nobody gives more than he has: neither by a role he writes, unless he may `escalate` it, nor by a binding, unless he
 * may `bind` its role (upstream: `pkg/registry/rbac/.../policybased`).
 */
export function createEscalationCheck(authorizer: Authorizer, table: RbacTable): Admission {
  function check(user: UserInfo, kind: KindName, { metadata }: KubeObject, rules: readonly PolicyRule[]): void {
    const uncovered = findUncovered(authorizer.rulesFor(user, metadata.namespace), rules);
    const refuse = (what: string) => forbidden(resources[kind], metadata.name, what);
    if ("tooMany" in uncovered) {
      throw refuse(`${uncovered.tooMany} single permissions are too many to be compared: write them with stars`);
    }
    if (uncovered.missing.length === 0) return;
    const texts = [...new Set(uncovered.missing.map((rule) => ruleText(rule)))].sort();
    const more = texts.length > shownRules ? [`and ${texts.length - shownRules} more`] : [];
    const who = `user ${JSON.stringify(user.name)} (groups=${listText(user.groups)})`;
    const what = `${who} is attempting to grant RBAC permissions not currently held:`;
    throw refuse([what, ...texts.slice(0, shownRules), ...more].join("\n"));
  }

  function may(user: UserInfo, verb: string, kind: KindName, key: { name: string; namespace?: string }): boolean {
    const { apiVersion, plural } = resources[kind];
    const { group } = splitApiVersion(apiVersion);
    const { name, namespace } = key;
    const asked = { verb, group, resource: plural, name, ...(namespace === undefined ? {} : { namespace }) };
    return authorizer.authorize(user, asked).allowed;
  }

  function checkRole(user: UserInfo, role: ClusterRole, before: ClusterRole | undefined): void {
    if (may(user, "escalate", role.kind, role.metadata)) return;
    check(user, role.kind, role, role.rules ?? []);
    const aggregates = role.aggregationRule !== undefined || before?.aggregationRule !== undefined;
    if (aggregates) check(user, role.kind, role, everything);
  }

  function checkBinding(user: UserInfo, kind: KindName, binding: KubeObject & BindingFields): void {
    const { metadata, roleRef } = binding;
    const { namespace } = metadata;
    // What is no role is refused by validation.
    if (roleRef.kind !== "Role" && roleRef.kind !== "ClusterRole") return;
    const key = { name: roleRef.name, ...(namespace === undefined ? {} : { namespace }) };
    if (may(user, "bind", roleRef.kind, key)) return;
    const rules = table.rulesOf(roleKeyOf(roleRef, namespace));
    if (rules === undefined) throw missingRole(roleRef.kind, roleRef.name);
    check(
      user,
      kind,
      binding,
      rules.map(({ rule }) => rule),
    );
  }

  return {
    name: "rbac-escalation",
    kinds: ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"],
    admit({ operation, kind, object, before, user }) {
      if (operation === "DELETE" || user.groups.includes(masters)) return;
      if (before !== undefined && onlyOwnersChange(object, before)) return;
      if ("roleRef" in object) checkBinding(user, kind, object as KubeObject & BindingFields);
      else checkRole(user, object as ClusterRole, before as ClusterRole | undefined);
    },
  };
}

/** What a garbage collector changes is no grant. */
function onlyOwnersChange(object: KubeObject, before: KubeObject): boolean {
  const rest = ({ metadata, ...fields }: KubeObject) => {
    const { ownerReferences: _owners, finalizers: _finalizers, resourceVersion: _version, ...others } = metadata;
    return { ...fields, metadata: others };
  };
  return sameValue(rest(object), rest(before));
}

function missingRole(kind: "Role" | "ClusterRole", name: string): ApiError {
  const resource = { ...resources[kind], plural: kind.toLowerCase() };
  return new ApiError("NotFound", `${qualified(resource)} "${name}" not found`, { name, kind: resource.plural });
}
