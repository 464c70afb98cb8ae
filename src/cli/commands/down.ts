import { runDownRole } from "#roles/down.ts";
import { createRenderer, styleFor } from "../render.ts";

/** The exit code: 0 when all is gone, 1 when something is left. */
export async function runDown(dataDir: string, { purge, json }: { purge: boolean; json: boolean }): Promise<number> {
  const report = createRenderer(styleFor(process.stdout, json), (text) => process.stdout.write(text));
  // Waiting for a process to end keeps nothing else alive in this one.
  const alive = setInterval(() => {}, 1000);
  try {
    return (await runDownRole(dataDir, { purge }, report)) ? 0 : 1;
  } finally {
    clearInterval(alive);
  }
}
