import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { defaultDataDir } from "#roles/options.ts";
import { dataPaths } from "#roles/state.ts";
import { eventually, run, whyNoCluster, withCluster } from "../cluster.ts";

const root = join(import.meta.dirname, "../../..");

/** The commands of the README's console blocks, without what stands behind `#`. */
function blocks(): string[][] {
  const text = readFileSync(join(root, "README.md"), "utf8");
  return [...text.matchAll(/^```console\n([^]*?)^```$/gm)].map(([, block = ""]) =>
    block
      .trim()
      .split("\n")
      .map((line) => line.replace(/^\$ /, "").replace(/\s+#.*$/, "")),
  );
}

test("the README's two commands are npm scripts of this package", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  assert.deepEqual(blocks()[0], ["npm ci && npm start", "npm ci && npm test"]);
  assert.match(scripts["start"] ?? "", / up examples\/quickstart$/);
  assert.match(scripts["test"] ?? "", /scripts\/test\.ts$/);
});

test("what the README types into another terminal works", { skip: whyNoCluster() }, async () => {
  const commands = blocks()[1] ?? [];
  assert.ok(commands.includes(`export KUBECONFIG=${dataPaths(defaultDataDir(true, {})).kubeconfig}`));
  assert.equal(commands.at(-1), "npm run fairlead -- down --purge");
  await withCluster({ manifests: [join(root, "examples/quickstart")] }, async ({ env }) => {
    for (const command of commands.slice(0, -1).filter((command) => !command.startsWith("export "))) {
      await eventually(() => {
        const outcome = run("bash", ["-c", command], { env, input: "hostname\n" });
        assert.equal(outcome.status, 0, `${command}\n${outcome.stdout}${outcome.stderr}`);
        assert.notEqual(outcome.stdout, "", command);
      });
    }
  });
});
