import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../run.ts";
import type { BindMount } from "../runtime/contract.ts";
import { placeOf, type ImageProcess } from "./recipe.ts";

export interface ImagePrograms {
  /** What to bind into a container for the things its image uses. */
  mountsOf(process: ImageProcess): Promise<BindMount[]>;
}

/** In a checkout the program is its TypeScript; in the published package it stands beside the bundle. */
const echoProgram = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./echo/server.ts" : "./echo-server.js", import.meta.url),
);

/**
 * `folder` keeps what has to be made once: the echo server without its types, and the links that let busybox be called
 * by its applets' names.
 */
export function createImagePrograms(folder: string, nodeBinary: string, findProgram: FindProgram): ImagePrograms {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Begun now, so that it is there when the first pod wants it.
  const echo = echoProgram.endsWith(".ts") ? stripTypes(folder, nodeBinary) : Promise.resolve(echoProgram);
  // Who needs it is told when it fails; that nobody needs it is no crash.
  echo.catch(() => {});
  let applets: Promise<string> | undefined;
  const sourceOf = {
    node: () => nodeBinary,
    echo: () => echo,
    busybox: () => (applets ??= linkApplets(join(folder, "busybox"), findProgram("busybox"))),
  };
  return {
    mountsOf: ({ uses }) =>
      Promise.all(uses.map(async (use) => ({ source: await sourceOf[use](), target: placeOf[use], readOnly: true }))),
  };
}

/**
 * A pod's Node starts the program in half the time when it need not look at types. What strips them is experimental and
 * warns, so it happens in a process of its own.
 */
async function stripTypes(folder: string, nodeBinary: string): Promise<string> {
  const digest = createHash("sha256").update(readFileSync(echoProgram)).digest("hex").slice(0, 12);
  const target = join(folder, `echo-${digest}.mjs`);
  if (existsSync(target)) return target;
  const script =
    'import { stripTypeScriptTypes } from "node:module"; import { readFileSync, writeFileSync } from "node:fs"; ' +
    'const [from, to] = process.argv.slice(1); writeFileSync(to, stripTypeScriptTypes(readFileSync(from, "utf8")));';
  const args = ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", script];
  const { code, stderr } = await run(nodeBinary, [...args, echoProgram, `${target}.new`]);
  if (code !== 0) throw new Error(`the echo server could not be prepared: ${stderr.trim()}`);
  renameSync(`${target}.new`, target);
  return target;
}

type FindProgram = (name: string) => string | undefined;

async function linkApplets(folder: string, busybox: string | undefined): Promise<string> {
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true, mode: 0o755 });
  if (busybox !== undefined) {
    const { stdout } = await run(busybox, ["--list"]);
    for (const applet of stdout.split("\n").filter((name) => /^[\w[.-]+$/.test(name))) {
      symlinkSync(busybox, join(fresh, applet));
    }
  }
  renameSync(fresh, folder);
  return folder;
}
