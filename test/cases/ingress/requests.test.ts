import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { createPage } from "#dataplane/counters.ts";
import { Edits } from "#dataplane/filters/edits.ts";
import type { FilteredRequest } from "#dataplane/filters/filter.ts";
import { createMeterMemory } from "#dataplane/meter/memory.ts";
import { Meter } from "#dataplane/meter/meter.ts";
import { PasswordChecks } from "#dataplane/password/checks.ts";
import { compileHost, findHost } from "#dataplane/route.ts";
import { settingsOf } from "#ingress/annotations/settings.ts";
import { acceptedClasses, acceptedControllers } from "#ingress/class.ts";
import { defaultOptions } from "#ingress/options.ts";
import { compileIngresses } from "#routing/l7/compile.ts";
import { readObjects, splitCases } from "./read.ts";

/**
 * From objects to what becomes of a request: `http a.example/x -> dev/web:80 /x`, through the compiler and the data
 * plane's own matching and filters. A number is an answer, with its Location.
 */
const folder = join(import.meta.dirname, "requests");

/** Every route counts into the same page; nobody reads it. */
const uncounted = { page: createPage(), offset: 0 };

for (const file of globSync("*.txt", { cwd: folder }).sort()) {
  describe(`requests: ${basename(file, ".txt")}`, () => {
    for (const { title, objects, expected } of splitCases(readFileSync(join(folder, file), "utf8"))) {
      test(title, () => {
        const { hosts } = compileIngresses(
          readObjects(objects, () => assert.fail("no pairs here")),
          {
            controllers: acceptedControllers,
            legacyClasses: acceptedClasses,
            watchWithoutClass: true,
            implementationSpecific: "characters",
            settingsOf: (ingress) => settingsOf(ingress, defaultOptions),
          },
        );
        const compiled = new Map([...hosts].map(([name, entry]) => [name, compileHost(entry, () => uncounted)]));
        const outcome = expected.split("\n").map((line) => {
          const [request = ""] = line.split(" -> ");
          return `${request} -> ${answerTo(request, compiled)}`;
        });
        assert.equal(outcome.join("\n"), expected);
      });
    }
  });
}

function plainRequest(
  parts: Pick<FilteredRequest, "secure" | "host" | "target" | "path" | "query" | "groups">,
): FilteredRequest {
  const edits = { requestEdits: new Edits(), responseEdits: new Edits() };
  const meter = new Meter(createMeterMemory(1, ""), 0, systemClock);
  const passwords = new PasswordChecks(systemClock);
  const tools = { clock: systemClock, copies: { underWay: 0 }, meter, passwords, tracer: undefined };
  const client = { method: "GET", client: "192.0.2.1", authority: parts.host };
  return {
    ...parts,
    ...client,
    ...edits,
    tools,
    rewritten: undefined,
    trace: undefined,
    field: () => undefined,
    ask: () => assert.fail("nobody is asked here"),
    backend: "",
    encrypted: parts.secure,
    servedBy: undefined,
    prefer() {},
    copyTo() {},
    atResponse() {},
    atEnd() {},
  };
}

function answerTo(line: string, hosts: ReadonlyMap<string, ReturnType<typeof compileHost>>): string {
  const [scheme = "", where = ""] = line.split(" ");
  const slash = where.indexOf("/");
  const host = where.slice(0, slash);
  const target = where.slice(slash);
  const [path = ""] = target.split("?");
  const query = target.slice(path.length);
  const found = findHost(hosts, host)?.routeOf(path);
  if (found === undefined) return "404";
  const { groups } = found;
  const request = plainRequest({ secure: scheme === "https", host, target, path, query, groups });
  for (const step of found.route.filters.steps) {
    const answer = step(request);
    if (answer === undefined) continue;
    const location = answer.fields?.find(([name]) => name === "Location")?.[1] ?? "";
    return `${answer.status} ${location}`.trim();
  }
  const { target: to } = found.route.entry;
  return to.type === "answer" ? String(to.status) : `${to.backend} ${request.rewritten ?? target}`;
}
