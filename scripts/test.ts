import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { canSandbox, runToEnd, sandboxed } from "./sandbox.ts";

/**
 * `npm test [unit|e2e] [FILE...]`: sets up, checks, and runs the suites. Unit tests share one process and take seconds.
 * Tests of the kernel and of whole clusters run in a sandbox of their own each: what one leaves behind, or never ends, is
 * nothing to the others. Two run at a time, since they wait for much; what one prints is shown when it has ended.
 */
const suites = {
  unit: [
    "test/architecture/**/*.test.ts",
    "test/features/**/*.test.ts",
    "test/cases/**/*.test.ts",
    "test/conformance/**/*.test.ts",
  ],
  e2e: ["test/e2e/**/*.test.ts"],
} as const;

type Suite = keyof typeof suites;

/** The longest that one file may take. */
const fileLimitSeconds = 300;
const filesAtOnce = Math.min(2, availableParallelism());
/** More files than this that fail are no accident of the machine. */
const secondTries = 2;

const [first, ...rest] = process.argv.slice(2);
const chosen: readonly Suite[] = first === "unit" || first === "e2e" ? [first] : ["unit", "e2e"];
const named = first === "unit" || first === "e2e" ? rest : process.argv.slice(2);

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

function filesOf(suite: Suite): string[] {
  const files = globSync([...suites[suite]]).sort();
  return named.length === 0 ? files : files.filter((file) => named.some((name) => file.includes(name)));
}

/** The end is forced, or what a failed test leaves open would keep back what failed and why. */
const testFlags = ["--test", "--test-reporter=spec", "--test-isolation=none", "--test-force-exit"];

/** All files in one process; a test of these that takes a minute will never end. They too have a second try. */
function runTogether(files: readonly string[]): void {
  const args = [...testFlags, "--test-timeout=60000", ...files];
  if (spawnSync(process.execPath, args, { stdio: "inherit" }).status === 0) return;
  console.log("\n== unit tests (once more)");
  run(process.execPath, args);
  console.error("unsteady, failed once and passed once: unit tests, see above");
}

/**
 * Each file apart; all of them run, whatever happens to one. One or two that fail are run once more, alone, since a busy
 * machine can fail them: what fails twice fails the run, what fails once is named at the end and is a defect to be mended.
 */
async function runApart(files: readonly string[]): Promise<void> {
  const canApart = canSandbox();
  if (!canApart) console.log("not root, or no namespaces here: tests that need them say so and skip");
  // Where they share the machine's network they would take each other's ports.
  const atOnce = canApart ? Math.min(filesAtOnce, files.length) : 1;
  const passes = async (file: string, heading: string) => {
    const command = [process.execPath, ...testFlags, file];
    const title = `\n== ${file} (${heading})\n`;
    const apart = canApart ? sandboxed(command) : command;
    const limitSeconds = fileLimitSeconds;
    if (atOnce === 1) {
      process.stdout.write(title);
      return (await runToEnd(apart, { limitSeconds })) === 0;
    }
    const printed = [title];
    const status = await runToEnd(apart, { limitSeconds, print: (text) => void printed.push(text) });
    process.stdout.write(printed.join(""));
    return status === 0;
  };
  const failedOnce: string[] = [];
  const waiting = [...files.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, file] = next;
      if (!(await passes(file, `${index + 1} of ${files.length}`))) failedOnce.push(file);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const failed: string[] = [];
  for (const file of failedOnce) {
    if (failedOnce.length > secondTries || !(await passes(file, "once more"))) failed.push(file);
  }
  for (const file of failedOnce) {
    console.error(failed.includes(file) ? `failed: ${file}` : `unsteady, failed once and passed once: ${file}`);
  }
  console.log(`\nfiles: ${files.length - failed.length} passed, ${failed.length} failed`);
  if (failed.length > 0) process.exit(1);
}

run(process.execPath, ["scripts/setup.ts"]);
if (named.length === 0 && first === undefined) run("npm", ["run", "--silent", "check"]);
process.env["NODE_COMPILE_CACHE"] ??= "node_modules/.cache/compile";

for (const suite of chosen) {
  const files = filesOf(suite);
  if (files.length === 0) continue;
  if (suite === "unit") runTogether(files);
  else await runApart(files);
}
