import { readFileSync } from "node:fs";
import { uplinkDevice } from "#node/network/plan.ts";
import { parseKubeconfig } from "#client/kubeconfig.ts";
import { createRemoteClient } from "#client/remote.ts";
import { checkOptions } from "./options.ts";
import { reachOf } from "./reach.ts";
import { RoleError, type Reach } from "./report.ts";
import { clusterId, dataPaths, isAlive, readState } from "./state.ts";

export type ClusterStatus =
  | { readonly state: "running"; readonly pid: number; readonly dataDir: string; readonly reach: Reach }
  | { readonly state: "starting"; readonly pid: number; readonly dataDir: string }
  /** `killed`: the process went without stopping the cluster; pods and rules may still be there. */
  | { readonly state: "stopped" | "killed" | "absent"; readonly dataDir: string };

/** Asks the cluster of a data folder how it is. */
export async function statusOf(dataDir: string): Promise<ClusterStatus> {
  const paths = dataPaths(dataDir);
  const state = readState(paths);
  if (state === undefined) return { state: "absent", dataDir };
  if (state.phase === "stopped") return { state: "stopped", dataDir };
  if (!isAlive(state.process)) return { state: "killed", dataDir };
  const { pid } = state.process;
  if (state.phase === "starting") return { state: "starting", pid, dataDir };
  const { options, httpPort, httpsPort, withNodes } = state;
  const checked = checkOptions(options);
  if (!("plan" in checked)) throw new RoleError(`${paths.state} is damaged`, "fairlead down, then fairlead up");
  const readFile = (path: string) => readFileSync(path, "utf8");
  const client = createRemoteClient({
    ...parseKubeconfig(readFile(paths.kubeconfig), { readFile }),
    name: "fairlead-status",
  });
  try {
    const reach = await reachOf(client, {
      plan: checked.plan,
      clusterDomain: options.clusterDomain,
      apiPort: options.apiPort,
      httpPort,
      httpsPort,
      kubeconfig: paths.kubeconfig,
      dns: withNodes ? checked.plan.dnsServiceAddress : "127.0.0.1",
      ...(withNodes ? { uplink: uplinkDevice(clusterId(paths.root)) } : {}),
    });
    return { state: "running", pid, dataDir, reach };
  } finally {
    client.close();
  }
}
