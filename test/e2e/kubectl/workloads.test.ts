import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually, startCluster, whyNoCluster } from "../cluster.ts";
import { findKubectls } from "./kubectls.ts";
import { expectOutput, readSteps, runStep } from "./steps.ts";

for (const kubectl of findKubectls()) {
  const skip = whyNoCluster() || (kubectl.missing ?? false);
  test(`${kubectl.name} runs, changes and ends workloads of a cluster`, { skip }, async (t) => {
    const cluster = await startCluster();
    const cwd = mkdtempSync(join(tmpdir(), "fairlead-kubectl-"));
    try {
      cpSync(join(import.meta.dirname, "files"), cwd, { recursive: true });
      writeFileSync(join(cwd, "note.txt"), "carried there and back\n");
      for (const step of readSteps("workloads.txt", kubectl)) {
        await t.test(step.line, async () => {
          const look = async () => expectOutput(step, await runStep(step, { kubectl, cwd, env: cluster.env }));
          // `@`: what is true only after the cluster has done its work.
          await (step.own ? eventually(look) : look());
        });
      }
    } finally {
      await cluster.purge();
      rmSync(cwd, { recursive: true });
    }
  });
}
