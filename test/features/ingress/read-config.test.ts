import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readIngressConfig } from "#ingress/read-config.ts";
import { loadIngressConfig } from "#roles/ingress-config.ts";
import { RoleError } from "#roles/report.ts";

test("options stand in a mapping, or in the data of a ConfigMap", () => {
  const expected = { tries: 2, hsts: false };
  const plain = "proxy-next-upstream-tries: 2\nhsts: false\n";
  const map = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  proxy-next-upstream-tries: "2"\n  hsts: "false"\n`;
  for (const text of [plain, map]) {
    assert.deepEqual(readIngressConfig(text), { options: expected, errors: [], warnings: [] });
  }
  assert.deepEqual(readIngressConfig("").options, {});
});

test("all that is wrong is told at once, by name", () => {
  const { errors, warnings } = readIngressConfig("hsts: perhaps\nload-balance: [a]\nworker-processes: 4\n");
  assert.deepEqual(errors.toSorted(), [
    `hsts: "perhaps" is not usable`,
    "load-balance: must be text, a number, true or false",
  ]);
  assert.deepEqual(warnings, ["worker-processes has no effect here"]);
  assert.equal(readIngressConfig("- a").errors.length, 1);
});

test("a file that cannot be used ends the start with the file's name and where to read on", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-ingress-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "ingress.yaml");
  const refusal = (text: string) => {
    writeFileSync(path, text);
    try {
      loadIngressConfig(path, () => {});
    } catch (error) {
      assert.ok(error instanceof RoleError);
      return error.message;
    }
    return assert.fail("was taken");
  };
  assert.equal(refusal("hsts: perhaps"), `${path}: hsts: "perhaps" is not usable`);
  assert.match(refusal("a: [b"), /^the configuration of Ingress cannot be read: /);
  const told: string[] = [];
  writeFileSync(path, "tries: 2");
  assert.deepEqual(
    loadIngressConfig(path, (event) => told.push("text" in event ? (event.text ?? "") : "")),
    {},
  );
  assert.deepEqual(told, [`${path}: tries has no effect here`]);
});
