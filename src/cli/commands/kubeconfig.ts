import { readFileSync } from "node:fs";
import { RoleError } from "#roles/report.ts";
import { dataPaths } from "#roles/state.ts";

/** Prints the administrator's kubeconfig; the exit code is the answer. */
export function runKubeconfig(dataDir: string): number {
  const file = dataPaths(dataDir).kubeconfig;
  try {
    process.stdout.write(readFileSync(file, "utf8"));
    return 0;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES") throw new RoleError(`${file} may not be read by this user`, "run the command as root");
    throw new RoleError(`there is no cluster in ${dataDir}`, "start one: fairlead up");
  }
}
