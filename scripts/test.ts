import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { canSandbox, runInSandbox } from "./sandbox.ts";

/**
 * `npm test [unit|e2e] [FILE...]`: sets up, checks, and runs the suites. Unit tests share one process and take seconds;
 * tests of the kernel and of whole clusters run file by file in a sandbox of their own namespaces.
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

const [first, ...rest] = process.argv.slice(2);
const chosen: readonly (keyof typeof suites)[] = first === "unit" || first === "e2e" ? [first] : ["unit", "e2e"];
const named = first === "unit" || first === "e2e" ? rest : process.argv.slice(2);

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

function filesOf(suite: keyof typeof suites): string[] {
  const files = globSync([...suites[suite]]).sort();
  return named.length === 0 ? files : files.filter((file) => named.some((name) => file.includes(name)));
}

run(process.execPath, ["scripts/setup.ts"]);
if (named.length === 0 && first === undefined) run("npm", ["run", "--silent", "check"]);

for (const suite of chosen) {
  const files = filesOf(suite);
  if (files.length === 0) continue;
  const isolation = suite === "unit" ? ["--test-isolation=none"] : ["--test-concurrency=1", "--test-timeout=600000"];
  const command = [process.execPath, "--test", "--test-reporter=spec", ...isolation, ...files];
  process.env["NODE_COMPILE_CACHE"] ??= "node_modules/.cache/compile";
  const sandboxed = suite === "e2e" && canSandbox();
  if (suite === "e2e" && !sandboxed)
    console.log("not root, or no namespaces here: tests that need them say so and skip");
  const status = sandboxed
    ? runInSandbox(command)
    : (spawnSync(process.execPath, command.slice(1), { stdio: "inherit" }).status ?? 1);
  if (status !== 0) process.exit(status);
}
