import assert from "node:assert/strict";
import { test } from "node:test";
import { parseYaml } from "#api/manifest/yaml.ts";
import { defaultLimits } from "#dataplane/limits.ts";
import { defaultOptions } from "#ingress/options.ts";
import { streamTimes } from "#ingress/streams.ts";
import { readStreamLine } from "#routing/streams/read.ts";
import { readPage } from "./pages.ts";

const { text } = readPage("docs/reference/streams.md");

test("the lines that the reference shows can be read", () => {
  const example = /^```yaml\n([^]*?)^```$/m.exec(text)?.[1] ?? assert.fail("no example");
  const { data } = parseYaml(example) as { data: Record<string, string> };
  for (const [key, value] of Object.entries(data)) {
    assert.equal(typeof readStreamLine("tcp", key, value), "object", `${key}: ${value}`);
  }
});

test("the times and limits of the reference are those of the program", () => {
  const row = (name: string) => text.split("\n").find((line) => line.startsWith(`| ${name} `)) ?? assert.fail(name);
  const { tcpIdleMs, udpIdleMs, tries } = streamTimes(defaultOptions);
  assert.match(row("silent for"), new RegExp(`\\| ${tcpIdleMs / 1000} s: .*\\| ${udpIdleMs / 1000} s: `));
  assert.match(row("an endpoint that refuses"), new RegExp(`, ${tries} at most `));
  const { connections, datagramSessions } = defaultLimits;
  assert.match(row("at most"), new RegExp(` ${connections} connections .*\\| ${datagramSessions} sessions `));
});
