import { sameValue } from "#api/meta/field-errors.ts";
import { matchesSelector } from "#api/meta/selector.ts";
import type { ClusterRole } from "#api/rbac/clusterrole/kind.ts";
import type { PolicyRule } from "#api/rbac/rule.ts";
import { createLoop, runningLoop, type ControllerContext, type RunningController } from "../controller.ts";

/** The rules of a role that is made of others: those of all it selects, in the order of their names, each once. */
export function compileAggregate(role: ClusterRole, roles: readonly ClusterRole[]): PolicyRule[] {
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  const parts = roles
    .filter(({ metadata }) => metadata.name !== role.metadata.name)
    .filter(({ metadata }) => selectors.some((selector) => matchesSelector(selector, metadata.labels)))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const rules = new Map(parts.flatMap((part) => part.rules ?? []).map((rule) => [JSON.stringify(rule), rule]));
  return [...rules.values()];
}

/** Writes the rules of ClusterRoles with an `aggregationRule` (upstream: `pkg/controller/clusterroleaggregation`). */
export function startClusterRoleAggregation(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const roles = informers.of("ClusterRole");

  async function reconcile(name: string): Promise<void> {
    const role = roles.get(name);
    if (role?.aggregationRule === undefined) return;
    const rules = compileAggregate(role, roles.list());
    if (!sameValue(rules, role.rules)) await client.patch("ClusterRole", { name }, { rules });
  }

  const queue = createLoop(context, { name: "clusterrole-aggregation", reconcile });
  return runningLoop(queue, [
    // Whichever role changes, any that aggregates may select it, or may have.
    roles.onChange(() => {
      for (const { metadata, aggregationRule } of roles.list()) if (aggregationRule) queue.add(metadata.name);
    }),
  ]);
}
