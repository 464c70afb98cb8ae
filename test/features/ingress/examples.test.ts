import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "#api/meta/object.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { Ingress } from "#api/networking/ingress/kind.ts";
import { settingsOf } from "#ingress/annotations/settings.ts";
import { acceptedClasses, acceptedControllers } from "#ingress/class.ts";
import { defaultOptions } from "#ingress/options.ts";
import { compileIngresses } from "#routing/l7/compile.ts";

function objectsIn(pattern: string): KubeObject[] {
  const files = globSync(pattern).sort();
  assert.notEqual(files.length, 0, `no files: ${pattern}`);
  return files.flatMap((file) => {
    return parseAllDocuments(readFileSync(file, "utf8")).map((document) => {
      assert.deepEqual(document.errors, [], file);
      const object = document.toJS() as KubeObject;
      return { ...object, metadata: { namespace: "default", ...object.metadata } };
    });
  });
}

for (const folder of ["quickstart", "documents/000/current", "documents/001/current", "documents/002/current"]) {
  test(`every Ingress of examples/${folder} leads to a Service of the same folder`, () => {
    const objects = objectsIn(`examples/${folder}/*.yaml`);
    const ofKind = <T extends KubeObject>(kind: string): T[] => {
      return objects.filter((object) => object.kind === kind) as T[];
    };
    const ingresses = ofKind<Ingress>("Ingress");
    assert.notEqual(ingresses.length, 0);
    const compiled = compileIngresses(
      { ingresses, classes: [], services: ofKind<Service>("Service"), slices: [], secrets: [] },
      {
        controllers: acceptedControllers,
        legacyClasses: acceptedClasses,
        watchWithoutClass: true,
        implementationSpecific: "characters",
        settingsOf: (ingress) => settingsOf(ingress, defaultOptions),
      },
    );
    // The Secret of the HTTPS example is made by hand, as its comment says.
    const problems = compiled.problems.filter(({ code }) => code !== "tls-secret-not-found");
    assert.deepEqual(problems, []);
    assert.equal(compiled.accepted.size, ingresses.length);
  });
}

test("all documents have the same files in their own form and in today's", () => {
  const names = (form: string): string[] => {
    return globSync(`examples/documents/*/${form}/*.yaml`)
      .map((file) => file.replace(`/${form}/`, "/").replace("-refused", ""))
      .sort();
  };
  assert.deepEqual(names("legacy"), names("current"));
});
