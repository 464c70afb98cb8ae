import type { ClusterRole } from "#api/rbac/clusterrole/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import type { KindName } from "#api/types.ts";
import type { Log } from "#base/log.ts";
import { followKind } from "../../registry/follow.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Binding, RbacTable } from "./table.ts";

const bindings: readonly KindName[] = ["ClusterRoleBinding", "RoleBinding"];
const roles: readonly KindName[] = ["ClusterRole", "Role"];

/**
 * Keeps the table in step with the registry: a write that has been answered counts for the next request. An object that
 * cannot be understood gives nothing.
 */
export async function followRbac(registry: Registry, table: RbacTable, log: Log): Promise<void> {
  const served = new Set(registry.definitions.map(({ resource }) => resource.kind));
  const enter = (kind: KindName, key: string, object: KubeObject | undefined) => {
    if (bindings.includes(kind)) table.setBinding(`${kind} ${key}`, object as Binding | undefined);
    else table.setRole(key, object === undefined ? undefined : ((object as ClusterRole).rules ?? []));
  };
  const follow = (kind: KindName) =>
    followKind(registry, kind, (key, object) => {
      try {
        enter(kind, key, object);
      } catch (error) {
        // Thrown on, it would end the watch, and what is taken away later would go on to count.
        enter(kind, key, undefined);
        log.error({ kind, key, error: String(error) }, "rights cannot be read from an object: it gives none");
      }
    });
  await Promise.all([...roles, ...bindings].filter((kind) => served.has(kind)).map((kind) => follow(kind)));
}
