import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { renderProblem } from "#api/config/problem.ts";
import { readConfigFile } from "../../../src/dns/config/read.ts";
import { readDnsConfig } from "../../../src/dns/config/read-yaml.ts";
import { codesOf, readPage, root, rowsOf, sectionOf } from "../docs/pages.ts";

const page = readPage("docs/reference/dns.md");
const keys = rowsOf(sectionOf(page, "Configuration")).map(([key = ""]) => codesOf(key)[0] ?? "");
const readFile = (path: string) => (path === "/etc/resolv.conf" ? "nameserver 192.0.2.1" : readFileSync(path, "utf8"));

test("the examples can be used as they are", () => {
  for (const name of ["dns.yml", "Corefile"]) {
    const { problems, settings } = readConfigFile(join(root, "examples/dns", name), readFile);
    assert.deepEqual(problems.map(renderProblem), []);
    assert.equal(settings.forward?.length, 2);
  }
});

test("the configuration in the reference can be used as it is", () => {
  const [text = ""] = [...sectionOf(page, "Configuration").matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, text]) => text);
  const { problems, settings } = readDnsConfig(text, "dns.md", { readFile });
  assert.deepEqual(problems, []);
  assert.deepEqual(Object.keys(settings).sort(), ["cache", "forward", "hosts", "rewrite"]);
});

test("every key of the reference is read, and one that is changed by a letter is not", () => {
  assert.ok(keys.length > 40);
  for (const key of keys) {
    const said = (name: string) => {
      const { problems } = readDnsConfig(nested(name), "dns.yml", { readFile });
      return problems.map(({ text }) => text).join("\n");
    };
    assert.doesNotMatch(said(key), /is not a key/, key);
    assert.match(said(`${key}x`), new RegExp(`did you mean ${key.split(".").at(-1)}\\?`), key);
  }
});

test("every key that is read stands in the reference", () => {
  const source = readFileSync(join(root, "src/dns/config/read-yaml.ts"), "utf8");
  const readers = "address|integer|oneOf|boolean|domain|list|text|mapping|upstreams|hostsFile|count|ip|\\(place\\)";
  const read = [...source.matchAll(new RegExp(`(\\w+): (?:${readers})\\b`, "g"))].map(([, name]) => name ?? "");
  const groups = ["cache", "hosts", "http", "limits"];
  const inText = ["address", "names", "hits", "percent"];
  const documented = new Set([...keys.map((key) => key.split(".").at(-1)), ...groups, ...inText]);
  assert.ok(read.length > 40);
  assert.deepEqual(
    read.filter((name) => !documented.has(name)),
    [],
  );
});

/** A document that has this key, with a value that is wrong everywhere. */
function nested(key: string): string {
  const [first = "", second] = key.split(".");
  if (second === undefined) return `${first}: !!null x`;
  return first.endsWith("[]")
    ? `${first.slice(0, -2)}: [{ ${second}: !!null x }]`
    : `${first}: { ${second}: !!null x }`;
}

test("every plugin that is read stands in the reference, and no other", () => {
  const source = readFileSync(join(root, "src/dns/config/plugins.ts"), "utf8");
  const table = /const readers[^{]*\{([^]*?)^\};/m.exec(source)?.[1] ?? "";
  const read = [...table.matchAll(/^ {2}(\w+): /gm)].map(([, name]) => name);
  const documented = rowsOf(sectionOf(page, "Corefiles")).map(([name = ""]) => codesOf(name)[0]);
  assert.ok(read.length > 10);
  assert.deepEqual(documented.sort(), read.sort());
});
