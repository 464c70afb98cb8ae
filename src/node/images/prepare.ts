import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
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
const echoProgram = import.meta.url.endsWith(".ts") ? "./echo/server.ts" : "./echo-server.js";

/** `folder` keeps what has to be made once, such as the links that let busybox be called by its applets' names. */
export function createImagePrograms(folder: string, nodeBinary: string, findProgram: FindProgram): ImagePrograms {
  let applets: Promise<string> | undefined;
  const sourceOf = {
    node: () => nodeBinary,
    echo: () => fileURLToPath(new URL(echoProgram, import.meta.url)),
    busybox: () => (applets ??= linkApplets(join(folder, "busybox"), findProgram("busybox"))),
  };
  return {
    mountsOf: ({ uses }) =>
      Promise.all(uses.map(async (use) => ({ source: await sourceOf[use](), target: placeOf[use], readOnly: true }))),
  };
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
