import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { readConfigFile } from "../../../src/dns/config/read.ts";
import { renderProblem } from "#api/config/problem.ts";

/**
 * Each `.txt` file: sections begin with `--- NAME`. `Corefile` or `dns.yml` is the configuration, a name with a slash is
 * a file that it may read, `config` is what it says, in YAML (`settings` where nothing else is said may be left out), and
 * `problems` what is told, a line each. Without `problems` there are none; without `config` it is not compared.
 */
for (const file of globSync(join(import.meta.dirname, "*.txt")).sort()) {
  test(`dns configuration: ${basename(file, ".txt")}`, () => {
    const sections = sectionsOf(readFileSync(file, "utf8"));
    const name = sections.has("Corefile") ? "Corefile" : "dns.yml";
    const { problems, ...config } = readConfigFile(name, (path) => {
      const text = sections.get(path);
      if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return text;
    });
    const expected = (sections.get("problems") ?? "").split("\n").filter((line) => line !== "");
    assert.deepEqual(problems.map(renderProblem), expected);
    const wanted = sections.get("config");
    if (wanted !== undefined) assert.deepEqual(config, { settings: {}, ...(parse(wanted) as object | null) });
  });
}

function sectionsOf(text: string): Map<string, string> {
  const parts = text.split(/^--- (\S+)\n/m);
  const sections = new Map<string, string>();
  for (let at = 1; at < parts.length; at += 2) sections.set(parts[at] ?? "", parts[at + 1] ?? "");
  return sections;
}
