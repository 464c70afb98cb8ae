import type { ClusterRole } from "#api/rbac/clusterrole/kind.ts";
import { keyText, type KubeObject } from "#api/meta/object.ts";
import type { KindName } from "#api/types.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Binding, RbacTable } from "./table.ts";

const bindings: readonly KindName[] = ["ClusterRoleBinding", "RoleBinding"];
const roles: readonly KindName[] = ["ClusterRole", "Role"];

/** Keeps the table in step with the registry: a write that has been answered counts for the next request. */
export async function followRbac(registry: Registry, table: RbacTable): Promise<void> {
  const served = new Set(registry.definitions.map(({ resource }) => resource.kind));
  const enter = (kind: KindName, object: KubeObject, gone: boolean) => {
    const key = keyText(object.metadata);
    if (bindings.includes(kind)) table.setBinding(`${kind} ${key}`, gone ? undefined : (object as Binding));
    else table.setRole(key, gone ? undefined : ((object as ClusterRole).rules ?? []));
  };
  const follow = (kind: KindName) =>
    new Promise<void>((resolve) => {
      registry.watch(
        kind,
        {},
        {
          event: (type, { object }) => enter(kind, object, type === "DELETED"),
          started: () => resolve(),
          expired: () => {},
        },
      );
    });
  await Promise.all([...roles, ...bindings].filter((kind) => served.has(kind)).map((kind) => follow(kind)));
}
