import { runBackupRole, runRestoreRole } from "#roles/backup.ts";
import type { Report } from "#roles/report.ts";
import { createRenderer, styleFor } from "../render.ts";

/** The exit code. */
export async function runBackup(dataDir: string, file: string, { json }: { json: boolean }): Promise<number> {
  await runBackupRole(dataDir, file, rendered(json));
  return 0;
}

/** The exit code. */
export async function runRestore(
  dataDir: string,
  file: string,
  { force, json }: { force: boolean; json: boolean },
): Promise<number> {
  await runRestoreRole(dataDir, file, { force }, rendered(json));
  return 0;
}

function rendered(json: boolean): Report {
  return createRenderer(styleFor(process.stdout, json), (text) => process.stdout.write(text));
}
