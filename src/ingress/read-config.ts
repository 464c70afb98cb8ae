import { parseYaml } from "#api/manifest/yaml.ts";
import { knownOptions, readOptions, type IngressOptions } from "./options.ts";

export interface IngressConfig {
  readonly options: Partial<IngressOptions>;
  /** What keeps the file from being used: a value that cannot be read, or a shape that is none of ours. */
  readonly errors: readonly string[];
  /** What has no effect here. */
  readonly warnings: readonly string[];
}

/**
 * Reads options from a YAML text: a mapping of names to values, or a ConfigMap of ingress-nginx with them in `data`.
 * Values may be text, numbers or booleans. Throws `YamlSyntaxError` for what is no YAML.
 */
export function readIngressConfig(text: string): IngressConfig {
  const value = parseYaml(text) ?? {};
  const whole = isMapping(value) ? value : undefined;
  const data = whole?.["kind"] === "ConfigMap" ? (whole["data"] ?? {}) : whole;
  if (!isMapping(data)) {
    const wanted = "it must be a mapping of options to values, or a ConfigMap with such a mapping in data";
    return { options: {}, errors: [wanted], warnings: [] };
  }
  const errors: string[] = [];
  const warnings: string[] = [];
  const texts: Record<string, string> = {};
  for (const [name, option] of Object.entries(data)) {
    if (!knownOptions.has(name)) warnings.push(`${name} has no effect here`);
    else if (["string", "number", "boolean"].includes(typeof option)) texts[name] = String(option);
    else errors.push(`${name}: must be text, a number, true or false`);
  }
  const { options, refused } = readOptions(texts);
  for (const name of refused) errors.push(`${name}: ${JSON.stringify(texts[name])} is not usable`);
  return { options, errors, warnings };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
