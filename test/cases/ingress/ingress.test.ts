import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { before, describe, test } from "node:test";
import { settingsOf } from "#ingress/annotations/settings.ts";
import { acceptedClasses, acceptedControllers } from "#ingress/class.ts";
import { defaultOptions, readOptions } from "#ingress/options.ts";
import { compileIngresses } from "#routing/l7/compile.ts";
import { makePair } from "../../fakes/certificate.ts";
import { optionsIn, readObjects, splitCases } from "./read.ts";
import { renderTable } from "./render.ts";

/**
 * Every case of every file beside this one: objects, `=>`, the lines of the table. UPDATE_CASES=1 writes what came out
 * into the files, to be read before it is kept.
 */
const pairs = new Map<string, { cert: string; key: string }>();

before(async () => {
  for (const names of ["a.example", "b.example", "*.example", "*.wild.example", "cn:test.abc.com"]) {
    pairs.set(names, await makePair(names));
  }
});

for (const file of globSync("*.txt", { cwd: import.meta.dirname }).sort()) {
  describe(`ingress: ${basename(file, ".txt")}`, () => {
    const path = join(import.meta.dirname, file);
    let text = readFileSync(path, "utf8");
    for (const { title, objects, expected } of splitCases(text)) {
      test(title, () => {
        const input = readObjects(objects, (name) => pairs.get(name) ?? assert.fail(`no pair ${name}`));
        const { options, refused } = readOptions(optionsIn(objects));
        assert.deepEqual(refused, []);
        const compiled = compileIngresses(input, {
          controllers: acceptedControllers,
          legacyClasses: acceptedClasses,
          watchWithoutClass: true,
          implementationSpecific: "characters",
          settingsOf: (ingress) => settingsOf(ingress, { ...defaultOptions, ...options }),
        });
        const rendered = renderTable(compiled);
        if (process.env["UPDATE_CASES"] === "1") {
          const old = `${objects}=>\n${expected}`;
          text = text.replace(`=== ${title}\n${old}`.trimEnd(), () =>
            `=== ${title}\n${objects}=>\n${rendered}`.trimEnd(),
          );
          writeFileSync(path, text);
        } else assert.equal(rendered, expected);
      });
    }
  });
}
