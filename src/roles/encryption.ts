import { readFileSync } from "node:fs";
import { renderProblem } from "#api/config/problem.ts";
import { nearest } from "#api/manifest/nearest.ts";
import { splitApiVersion } from "#api/meta/object.ts";
import { resources } from "#api/resources.ts";
import { pluralOf } from "#apiserver/registry/keys.ts";
import { readEncryption } from "#store/encryption/read.ts";
import { compileRules, type EncryptionRule } from "#store/encryption/rules.ts";
import type { WaysOf } from "#store/encryption/store.ts";
import { RoleError } from "./report.ts";

const flag = "--encryption-provider-config";

/** How entries are kept, by an EncryptionConfiguration. Throws `RoleError` with all that is wrong with it. */
export function loadEncryption(path: string): WaysOf {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new RoleError(`${flag}: ${path} cannot be read (${(error as Error).message})`, "name a file in YAML or JSON");
  }
  const { rules, problems } = readEncryption(text, path);
  const all = [...problems.map((problem) => renderProblem(problem)), ...misspelt(rules)];
  if (all.length > 0)
    throw new RoleError(`${flag}:\n  ${all.join("\n  ")}`, "nothing was started: put it right, and start again");
  return waysOfKeys(rules);
}

const groups = new Map(
  Object.values(resources).map(({ plural, apiVersion }) => [plural, splitApiVersion(apiVersion).group] as const),
);

/** The ways of the resource that a key of the store begins with; all else is kept as it is. */
export function waysOfKeys(rules: readonly EncryptionRule[]): WaysOf {
  const compiled = compileRules(rules);
  const found = new Map([...groups].map(([plural, group]) => [plural, compiled.waysOf(plural, group)] as const));
  return (key) => found.get(pluralOf(key)) ?? ["identity"];
}

/** Resources that are not here are none of our business, but what is nearly one would stay unencrypted unnoticed. */
function misspelt(rules: readonly EncryptionRule[]): string[] {
  const known = [...groups].map(([plural, group]) => (group === "" ? plural : `${plural}.${group}`));
  return rules
    .flatMap(({ resources: named }) => named)
    .filter((name) => !name.startsWith("*.") && !known.includes(name))
    .flatMap((name) => {
      const near = nearest(name, known);
      return near === undefined ? [] : [`${name} is no resource that is kept here; did you mean ${near}?`];
    });
}
