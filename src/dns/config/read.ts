import { basename } from "node:path";
import { settingsProblems } from "../check.ts";
import type { DnsConfig, ReadFile } from "./contract.ts";
import { hasErrors } from "#api/config/problem.ts";
import { readCorefile } from "./read-corefile.ts";
import { readDnsConfig } from "./read-yaml.ts";

/**
 * Reads a configuration file in the form that it has: a Corefile when it is called so or looks like one (a line that
 * ends with a brace, which YAML's mappings do not), YAML otherwise. Throws when `readFile` does for the file itself.
 */
export function readConfigFile(path: string, readFile: ReadFile): DnsConfig {
  const text = readFile(path);
  const isCorefile =
    /corefile/i.test(basename(path)) || (!/\.(ya?ml|json)$/.test(path) && /^\s*[^\s#{][^\n]*\{\s*$/m.test(text));
  const config = (isCorefile ? readCorefile : readDnsConfig)(text, path, { readFile });
  if (hasErrors(config.problems)) return config;
  // What only several keys together make wrong has no line of its own.
  const more = settingsProblems(config.settings).map((text) => ({
    file: path,
    line: 1,
    text,
    severity: "error" as const,
  }));
  return { ...config, problems: [...config.problems, ...more] };
}
