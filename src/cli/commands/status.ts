import { statusOf, type ClusterStatus } from "#roles/status.ts";
import { renderReach } from "../render.ts";

/** The exit code: 0 when the cluster runs, 3 when it does not (as service managers answer). */
export async function runStatus(dataDir: string, json: boolean): Promise<number> {
  const status = await statusOf(dataDir);
  if (json) console.log(JSON.stringify(status));
  else process.stdout.write(renderStatus(status, process.stdout.isTTY));
  return status.state === "running" || status.state === "starting" ? 0 : 3;
}

function renderStatus(status: ClusterStatus, color: boolean): string {
  switch (status.state) {
    case "running":
      return `The cluster in ${status.dataDir} runs (process ${status.pid}).\n\n${renderReach(status.reach, color)}`;
    case "starting":
      return `The cluster in ${status.dataDir} is starting (process ${status.pid}).\n`;
    case "stopped":
      return `The cluster in ${status.dataDir} is stopped. fairlead up starts it again.\n`;
    case "killed":
      return `The cluster in ${status.dataDir} was killed. fairlead up goes on where it was; fairlead down cleans up.\n`;
    case "absent":
      return `There is no cluster in ${status.dataDir}. fairlead up starts one.\n`;
  }
}
