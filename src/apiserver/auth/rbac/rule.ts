import type { PolicyRule } from "#api/rbac/rule.ts";
import type { Attributes } from "../attributes.ts";

/** Words of which one must be the asked one; `undefined` stands for `*`, all of them. */
type Words = ReadonlySet<string> | undefined;

/** A rule in the form that requests are held against. */
export interface CompiledRule {
  /** As it was written. */
  readonly rule: PolicyRule;
  readonly verbs: Words;
  readonly groups: Words;
  readonly resources: Words;
  /** Absent where the rule is about all names. */
  readonly names: ReadonlySet<string> | undefined;
  readonly paths: ReadonlySet<string>;
  /** What stands before the star of a path. */
  readonly pathPrefixes: readonly string[];
}

/** A request in that form: the resource with its subresource, and the same subresource of any. */
export interface Question {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly anyResource: string;
  readonly name: string;
  /** Empty where a resource is asked for. */
  readonly path: string;
}

export function compileRule(rule: PolicyRule): CompiledRule {
  const { nonResourceURLs = [], resourceNames = [] } = rule;
  const isPrefix = (path: string) => path.endsWith("*");
  return {
    rule,
    verbs: wordsOf(rule.verbs),
    groups: wordsOf(rule.apiGroups),
    resources: wordsOf(rule.resources),
    names: resourceNames.length === 0 ? undefined : new Set(resourceNames),
    paths: new Set(nonResourceURLs),
    pathPrefixes: nonResourceURLs.filter(isPrefix).map((path) => path.replace(/\*+$/, "")),
  };
}

function wordsOf(words: readonly string[] = []): Words {
  return words.includes("*") ? undefined : new Set(words);
}

export function questionOf(asked: Attributes): Question {
  const { verb } = asked;
  if ("path" in asked) return { verb, group: "", resource: "", anyResource: "", name: "", path: asked.path };
  const { group, resource, subresource, name = "" } = asked;
  if (subresource === undefined) return { verb, group, resource, anyResource: resource, name, path: "" };
  return { verb, group, resource: `${resource}/${subresource}`, anyResource: `*/${subresource}`, name, path: "" };
}

/** Upstream: `pkg/apis/rbac/v1/evaluation_helpers.go`. A star in the question is allowed by a star in the rule alone. */
export function ruleAllows(compiled: CompiledRule, asked: Question): boolean {
  const { verbs, groups, resources, names, paths, pathPrefixes } = compiled;
  if (verbs !== undefined && !verbs.has(asked.verb)) return false;
  if (asked.path !== "") return paths.has(asked.path) || pathPrefixes.some((prefix) => asked.path.startsWith(prefix));
  if (groups !== undefined && !groups.has(asked.group)) return false;
  if (names !== undefined && !names.has(asked.name)) return false;
  return resources === undefined || resources.has(asked.resource) || resources.has(asked.anyResource);
}
