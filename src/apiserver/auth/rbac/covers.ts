import type { PolicyRule } from "#api/rbac/rule.ts";
import { compileRule, ruleAllows, type CompiledRule } from "./rule.ts";

/** More single permissions than this are not counted out one by one. */
const limit = 100_000;

/** Permissions that are not held, or that there are too many to tell. */
export type Uncovered = { readonly missing: readonly PolicyRule[] } | { readonly tooMany: number };

/**
 * What of `wished` is not within `held` (upstream: `component-helpers/auth/rbac/validation`). Permissions are looked at
 * one by one, so that several rules may hold together what one wishes for.
 */
export function findUncovered(held: readonly CompiledRule[], wished: readonly PolicyRule[]): Uncovered {
  const open = wished.map((rule) => compileRule(rule)).filter((rule) => !held.some((other) => contains(other, rule)));
  const count = open.reduce((sum, { rule }) => sum + countOf(rule), 0);
  if (count > limit) return { tooMany: count };
  const missing = open.flatMap(({ rule }) => singlesOf(rule)).filter((single) => !holds(held, single));
  return { missing: compact(missing) };
}

/** Whether one rule alone holds another. */
function contains(held: CompiledRule, { rule, verbs, groups, resources, names }: CompiledRule): boolean {
  if ((rule.nonResourceURLs ?? []).length > 0) return false;
  const within = (some: ReadonlySet<string> | undefined, all: ReadonlySet<string> | undefined) =>
    all === undefined || (some !== undefined && some.isSubsetOf(all));
  return (
    (held.rule.nonResourceURLs ?? []).length === 0 &&
    within(verbs, held.verbs) &&
    within(groups, held.groups) &&
    within(resources, held.resources) &&
    within(names, held.names)
  );
}

const sizeOf = (list: readonly string[] = []) => Math.max(1, new Set(list).size);

function countOf({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): number {
  return [verbs, apiGroups, resources, resourceNames, nonResourceURLs].reduce((sum, list) => sum * sizeOf(list), 1);
}

/** A rule as its single permissions. */
function singlesOf(rule: PolicyRule): PolicyRule[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const each = (list: readonly string[]) => [...new Set(list)];
  const paths = each(nonResourceURLs).flatMap((path) =>
    each(verbs).map((verb) => ({ verbs: [verb], nonResourceURLs: [path] })),
  );
  const names = resourceNames.length === 0 ? [undefined] : each(resourceNames);
  const others = each(apiGroups).flatMap((group) =>
    each(resources).flatMap((resource) =>
      each(verbs).flatMap((verb) =>
        names.map((name) => ({
          verbs: [verb],
          apiGroups: [group],
          resources: [resource],
          ...(name === undefined ? {} : { resourceNames: [name] }),
        })),
      ),
    ),
  );
  return [...paths, ...others];
}

function holds(held: readonly CompiledRule[], { verbs, apiGroups, resources, ...rest }: PolicyRule): boolean {
  const [verb = "", group = "", resource = ""] = [verbs?.[0], apiGroups?.[0], resources?.[0]];
  const slash = resource.indexOf("/");
  const question = {
    verb,
    group,
    resource,
    anyResource: slash === -1 ? resource : `*${resource.slice(slash)}`,
    name: rest.resourceNames?.[0] ?? "",
    path: rest.nonResourceURLs?.[0] ?? "",
  };
  return held.some((rule) => ruleAllows(rule, question));
}

/** Single permissions on the same thing become one, with all their verbs. */
function compact(singles: readonly PolicyRule[]): PolicyRule[] {
  const byThing = Map.groupBy(singles, (rule) => JSON.stringify({ ...rule, verbs: [] }));
  return [...byThing.values()].map((same) => ({
    ...same[0],
    verbs: [...new Set(same.flatMap(({ verbs = [] }) => verbs))],
  }));
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}` */
export function ruleText({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const parts = Object.entries({
    APIGroups: apiGroups,
    Resources: resources,
    NonResourceURLs: nonResourceURLs,
    ResourceNames: resourceNames,
    Verbs: verbs,
  });
  const texts = parts.flatMap(([name, list = []]) => (list.length === 0 ? [] : [`${name}:${listText(list)}`]));
  return `{${texts.join(", ")}}`;
}

/** A list of texts as Go prints it with `%q`. */
export function listText(list: readonly string[]): string {
  return `[${list.map((text) => JSON.stringify(text)).join(" ")}]`;
}
