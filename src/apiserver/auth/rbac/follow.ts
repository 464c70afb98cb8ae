import type { ClusterRole } from "#api/rbac/clusterrole/kind.ts";
import { keyText, type KubeObject } from "#api/meta/object.ts";
import type { KindName } from "#api/types.ts";
import type { Log } from "#base/log.ts";
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
  const change = (kind: KindName, object: KubeObject, gone: boolean) => {
    const key = keyText(object.metadata);
    try {
      enter(kind, key, gone ? undefined : object);
    } catch (error) {
      // Thrown on, it would end the watch, and what is taken away later would go on to count.
      enter(kind, key, undefined);
      log.error({ kind, key, error: String(error) }, "rights cannot be read from an object: it gives none");
    }
  };
  const follow = (kind: KindName) =>
    new Promise<void>((resolve) => {
      let known = new Set<string>();
      const begin = () => {
        const before = known;
        known = new Set();
        registry.watch(
          kind,
          {},
          {
            event(type, { object }) {
              const isGone = type === "DELETED";
              if (isGone) known.delete(keyText(object.metadata));
              else known.add(keyText(object.metadata));
              change(kind, object, isGone);
            },
            started() {
              // What went while changes were missed gives nothing any more.
              for (const key of before) if (!known.has(key)) enter(kind, key, undefined);
              resolve();
            },
            expired: begin,
          },
        );
      };
      begin();
    });
  await Promise.all([...roles, ...bindings].filter((kind) => served.has(kind)).map((kind) => follow(kind)));
}
