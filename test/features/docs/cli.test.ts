import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Option } from "commander";
import { createProgram } from "#cli/program.ts";
import { defaultDataDir } from "#roles/options.ts";
import { codesOf, readPage, root, rowsOf, sectionOf } from "./pages.ts";

const page = readPage("docs/reference/cli.md");
const program = createProgram(() => {});
const commands = program.commands.filter((command) => !(command as unknown as { _hidden: boolean })._hidden);

function documentedDefault({ long, defaultValue, defaultValueDescription: described }: Option): string {
  // What the machine decides is written as prose.
  if (long === "--http-port") return "80";
  if (long === "--https-port") return "443";
  if (long === "--data-dir") return "`/var/lib/fairlead`";
  if (long === "--load-balancer-cidr") return "none";
  return defaultValue === undefined ? "off" : `\`${described ?? String(defaultValue)}\``;
}

test("every command has its section, and no section is about a command that is not there", () => {
  const sections = [...page.text.matchAll(/^## fairlead (\S+)$/gm)].map(([, name]) => name);
  assert.deepEqual(
    sections,
    commands.map((command) => command.name()),
  );
});

for (const command of commands) {
  test(`the flags of fairlead ${command.name()} stand in the reference with their defaults`, () => {
    const rows = rowsOf(sectionOf(page, `fairlead ${command.name()}`));
    const documented = rows.map(([flag = "", standard = ""]) => ({ flag: codesOf(flag)[0], standard }));
    const known = command.options.map((option) => ({ flag: option.flags, standard: documentedDefault(option) }));
    const byFlag = (a: { flag?: string }, b: { flag?: string }) => ((a.flag ?? "") < (b.flag ?? "") ? -1 : 1);
    assert.deepEqual(documented.sort(byFlag), known.sort(byFlag));
    for (const { flags, argChoices = [] } of command.options) {
      const text = rows.find(([flag = ""]) => flag.includes(flags))?.join(" ") ?? "";
      for (const choice of argChoices) assert.ok(text.includes(`\`${choice}\``), `${flags} does not tell of ${choice}`);
    }
  });
}

test("the default data folders are those of the reference", () => {
  assert.equal(defaultDataDir(true, {}), "/var/lib/fairlead");
  assert.equal(defaultDataDir(false, { XDG_DATA_HOME: "/data" }), "/data/fairlead");
  assert.match(defaultDataDir(false, {}), /\/\.local\/share\/fairlead$/);
});

test("the exit codes of the reference are those of the program", async () => {
  const codes = rowsOf(sectionOf(page, "Exit codes")).map(([code = ""]) => codesOf(code)[0]);
  // 130 needs a cluster that starts: test/e2e/lifecycle.test.ts; 70 an error that nobody expects.
  assert.deepEqual(codes, ["0", "1", "3", "70", "130"]);
  const folder = mkdtempSync(join(tmpdir(), "fairlead-codes-"));
  const outcomes = await Promise.all([
    exitCode("version"),
    exitCode("kubeconfig", "--data-dir", folder),
    exitCode("status", "--data-dir", folder),
  ]);
  rmSync(folder, { recursive: true });
  assert.deepEqual(outcomes, [0, 1, 3]);
});

test("every variable that the program reads from its environment stands in the reference, and no other", () => {
  const files = globSync("src/{cli,roles}/**/*.ts", { cwd: root });
  const read = files.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    return [...text.matchAll(/\benv\["(\w+)"\]/g)].map(([, name]) => name);
  });
  const documented = rowsOf(sectionOf(page, "Environment")).map(([name = ""]) => codesOf(name)[0]);
  assert.deepEqual([...new Set(read)].sort(), documented.sort());
});

test("every event that scripts may get stands in the reference, and no other", () => {
  const source = readFileSync(join(root, "src/roles/report.ts"), "utf8");
  const types = [...source.matchAll(/readonly type: ("\w+"(?: \| "\w+")*)/g)].flatMap(([, words = ""]) =>
    [...words.matchAll(/"(\w+)"/g)].map(([, word]) => word),
  );
  const documented = rowsOf(sectionOf(page, "Output")).map(([type = ""]) => codesOf(type)[0]);
  assert.deepEqual([...new Set(types)].sort(), documented.sort());
});

function exitCode(...args: string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [join(root, "bin/fairlead.ts"), ...args], () => {
      resolve(child.exitCode ?? -1);
    });
  });
}
