import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, run, startCluster, whyNoCluster, whyNoRecentKubectl, type TestCluster } from "../cluster.ts";

const root = join(import.meta.dirname, "../../..");

/** The guides in the order in which one is meant to read them: each goes on where the one before ended. */
const guides = ["getting-started", "troubleshooting"];

interface Step {
  readonly command: string;
  readonly expected: readonly string[];
}

/** Every command of the ```console blocks, its further lines behind `> `, and what stands below it. */
function readSteps(guide: string): Step[] {
  const text = readFileSync(join(root, "docs/guides", `${guide}.md`), "utf8");
  return [...text.matchAll(/^```console\n([^]*?)^```$/gm)].flatMap(([, block = ""]) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const lines = part.trimEnd().split("\n");
        const end = lines.findIndex((line, at) => at > 0 && !line.startsWith("> "));
        const [command, expected] = end === -1 ? [lines, []] : [lines.slice(0, end), lines.slice(end)];
        return { command: command.map((line) => line.replace(/^> /, "")).join("\n"), expected };
      }),
  );
}

/** `...` stands for anything: alone for any number of lines, else for the rest of a word or line. Spaces run together. */
function patternOf(expected: readonly string[]): RegExp {
  const lines = expected.map((line) => {
    if (line === "...") return "(?:.*\n)*?";
    // The last three dots count, so that `10....` is `10.` and anything.
    const parts = line.trimEnd().split(/\s*\.\.\.(?!\.)\s*/);
    return `${parts.map((part) => RegExp.escape(part).replaceAll(/(?:\\x20)+/g, " +")).join(".*")} *\n`;
  });
  return new RegExp(`^${lines.join("")}$`);
}

/** What only looks may look again: a change is in force a moment after the command that asked for it. */
const onlyLooks = /^(?:curl|dig|fairlead status|kubectl (?:get|describe|exec)) /;

describe("the guides", { skip: whyNoCluster() || whyNoRecentKubectl() }, () => {
  const home = mkdtempSync(join(tmpdir(), "fairlead-guides-"));
  let cluster: TestCluster;

  before(async () => {
    cluster = await startCluster({ manifests: [join(root, "examples/quickstart")] });
    const program = `exec ${process.execPath} ${join(root, "bin/fairlead.ts")} "$@" --data-dir ${cluster.dataDir}`;
    writeFileSync(join(home, "fairlead"), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
  });
  after(async () => {
    await cluster?.purge();
    rmSync(home, { recursive: true });
  });

  for (const guide of guides) {
    const steps = readSteps(guide);
    test(`${guide}: ${steps.length} commands print what the guide says`, async (t) => {
      assert.ok(steps.length > 5);
      for (const step of steps) await t.test(step.command.split("\n")[0] ?? "", () => take(step));
    });
  }

  async function take({ command, expected }: Step): Promise<void> {
    const env = { ...cluster.env, PATH: `${home}:${cluster.env["PATH"]}` };
    const once = () => {
      const outcome = run("bash", ["-c", `exec 2>&1; cd ${home}; ${command}`], { env });
      if (expected.length === 0) assert.equal(outcome.status, 0, outcome.stdout);
      else assert.match(outcome.stdout, patternOf(expected));
    };
    await (onlyLooks.test(command) ? eventually(once) : once());
  }
});
