import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Kubectl } from "./kubectls.ts";

/** One command of a table, and what it must print. The first lines of `commands.txt` say how they are written. */
export interface Step {
  readonly line: string;
  readonly words: readonly string[];
  readonly own: boolean;
  /** Must end with this code; `true` is any but 0. */
  readonly fails: boolean | number;
  readonly expected: readonly string[];
}

/** The steps of a table that are meant for a kubectl of this age. */
export function readSteps(file: string, { age }: Kubectl): Step[] {
  const parts = readFileSync(join(import.meta.dirname, file), "utf8").split(/^(?=[$@])/m);
  return parts.flatMap((part) => {
    const [line = "", ...rest] = part.split("\n");
    const match = /^(\$|@)(new|old)?(!\d*)? (.*)$/.exec(line);
    if (match === null) return [];
    const [, sign, only, fails, words = ""] = match;
    if (only !== undefined && only !== age) return [];
    const expected = rest.filter((text) => text.trim() !== "" && !text.startsWith("#"));
    const code = fails === undefined || fails === "!" ? fails === "!" : Number(fails.slice(1));
    return [{ line, words: splitWords(words), own: sign === "@", fails: code, expected }];
  });
}

/** As a shell splits, with single quotes. */
function splitWords(text: string): string[] {
  return (text.match(/(?:'[^']*'|[^\s'])+/g) ?? []).map((word) => word.replaceAll("'", ""));
}

/** Fails where a line is missing from the output. */
export function expectOutput({ line, expected }: Step, output: string): void {
  const flat = output.replaceAll(/[ \t]+/g, " ");
  for (const wanted of expected) {
    const words = wanted.replaceAll(/[ \t]+/g, " ").split("*");
    const pattern = new RegExp(words.map((text) => RegExp.escape(text)).join("[^\\n]*"));
    assert.match(flat, pattern, `${line}\nprinted:\n${output}`);
  }
}

interface Surroundings {
  readonly kubectl: Kubectl;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** What kubectl prints; rejects when it fails and must not, or the other way round. */
export function runStep({ words, fails, line }: Step, { kubectl, cwd, env }: Surroundings): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(kubectl.path ?? "", words, { cwd, env, timeout: 30_000 }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`;
      const code = error === null ? 0 : Number(error.code ?? -1);
      const isRight = typeof fails === "number" ? code === fails : fails === code > 0;
      if (isRight) resolve(output);
      else reject(new Error(`${line} ended with ${code}:\n${output}`));
    });
  });
}
