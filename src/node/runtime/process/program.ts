import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** Where programs are looked for, on the machine and inside containers alike. */
export const programPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The path of a program of this machine that containers can run too, or `undefined`. */
export function findProgram(program: string): string | undefined {
  for (const folder of programPath.split(":")) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: the next folder.
    }
  }
  return undefined;
}
