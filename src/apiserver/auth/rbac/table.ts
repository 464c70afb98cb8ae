import type { UserInfo } from "#api/admission.ts";
import type { BindingFields, RoleRef, Subject } from "#api/rbac/binding.ts";
import type { PolicyRule } from "#api/rbac/rule.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { accountUser } from "../account-user.ts";
import { compileRule, ruleAllows, type CompiledRule, type Question } from "./rule.ts";

export type Binding = KubeObject & BindingFields;

/** One subject of one binding, and the role it is given: why something is allowed. */
export interface Grant {
  readonly binding: Binding;
  readonly subject: Subject;
  /** The key of the role in the table. */
  readonly role: string;
}

/** A role's key: names of roles hold no slash. */
export function roleKeyOf({ kind, name }: RoleRef, namespace: string | undefined): string {
  return kind === "ClusterRole" ? name : `${namespace}/${name}`;
}

interface Entry {
  readonly who: "users" | "groups";
  readonly name: string;
  readonly grant: Grant;
}

/** What a binding gives, by the name a request comes with. A ServiceAccount is a user by the name its tokens have. */
export function compileBinding(binding: Binding): Entry[] {
  const { namespace } = binding.metadata;
  const role = roleKeyOf(binding.roleRef, namespace);
  return (binding.subjects ?? []).flatMap((subject): Entry[] => {
    const grant = { binding, subject, role };
    if (subject.kind === "Group") return [{ who: "groups", name: subject.name, grant }];
    if (subject.kind === "User") return [{ who: "users", name: subject.name, grant }];
    const home = subject.namespace || namespace;
    return home === undefined ? [] : [{ who: "users", name: accountUser(home, subject.name), grant }];
  });
}

interface Scope {
  readonly users: Map<string, readonly Grant[]>;
  readonly groups: Map<string, readonly Grant[]>;
}

/** All roles and bindings, found by who asks and where. A change of one object touches what that object says only. */
export interface RbacTable {
  /** `undefined`: there is no such role any more. The key is that of `roleKeyOf`. */
  setRole(key: string, rules: readonly PolicyRule[] | undefined): void;
  setBinding(key: string, binding: Binding | undefined): void;
  /** The first grant that allows what is asked, those of the whole cluster first. */
  find(user: UserInfo, namespace: string | undefined, asked: Question): Grant | undefined;
  /** All that a user is given in a namespace, or in the cluster as a whole. */
  grantsOf(user: UserInfo, namespace: string | undefined): Grant[];
  /** `undefined` when there is no such role. */
  rulesOf(roleKey: string): readonly CompiledRule[] | undefined;
}

export function createRbacTable(): RbacTable {
  const roles = new Map<string, readonly CompiledRule[]>();
  const entered = new Map<string, { scope: Scope; namespace: string; entries: readonly Entry[] }>();
  /** By namespace; the empty one is the cluster. */
  const scopes = new Map<string, Scope>();

  function scopeOf(namespace: string): Scope {
    const scope = scopes.get(namespace) ?? { users: new Map(), groups: new Map() };
    scopes.set(namespace, scope);
    return scope;
  }

  function remove(key: string): void {
    const before = entered.get(key);
    if (before === undefined) return;
    entered.delete(key);
    const { scope, namespace, entries } = before;
    for (const { who, name, grant } of entries) {
      const rest = (scope[who].get(name) ?? []).filter((other) => other !== grant);
      if (rest.length === 0) scope[who].delete(name);
      else scope[who].set(name, rest);
    }
    if (scope.users.size + scope.groups.size === 0) scopes.delete(namespace);
  }

  function allowing(grants: readonly Grant[] | undefined, asked: Question): Grant | undefined {
    return grants?.find(({ role }) => roles.get(role)?.some((rule) => ruleAllows(rule, asked)));
  }

  function findIn(scope: Scope | undefined, { name, groups }: UserInfo, asked: Question): Grant | undefined {
    if (scope === undefined) return undefined;
    const own = allowing(scope.users.get(name), asked);
    if (own !== undefined) return own;
    for (const group of groups) {
      const found = allowing(scope.groups.get(group), asked);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  return {
    setRole(key, rules) {
      if (rules === undefined) roles.delete(key);
      else
        roles.set(
          key,
          rules.map((rule) => compileRule(rule)),
        );
    },
    setBinding(key, binding) {
      remove(key);
      if (binding === undefined) return;
      const namespace = binding.metadata.namespace ?? "";
      const entries = compileBinding(binding);
      if (entries.length === 0) return;
      const scope = scopeOf(namespace);
      for (const { who, name, grant } of entries) scope[who].set(name, [...(scope[who].get(name) ?? []), grant]);
      entered.set(key, { scope, namespace, entries });
    },
    find(user, namespace, asked) {
      const found = findIn(scopes.get(""), user, asked);
      return found !== undefined || !namespace ? found : findIn(scopes.get(namespace), user, asked);
    },
    grantsOf({ name, groups }, namespace) {
      const places = [scopes.get(""), ...(namespace ? [scopes.get(namespace)] : [])];
      return places.flatMap((scope) => [
        ...(scope?.users.get(name) ?? []),
        ...groups.flatMap((group) => scope?.groups.get(group) ?? []),
      ]);
    },
    rulesOf: (key) => roles.get(key),
  };
}
