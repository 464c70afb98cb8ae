import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { renderKubeconfig } from "#client/kubeconfig.ts";
import type { Client } from "#client/contract.ts";
import { applyManifests, loadManifests } from "#roles/manifests.ts";
import { startTestServer, type TestServer } from "../../fakes/api-server.ts";
import { startAttached, type Attached } from "../attached.ts";

/** Where endpoints listen: an address that no rule about loopback meets. */
export const endpointAddress = "10.50.0.1";

/** Root and namespaces of its own, as `npm run test:e2e` has them. */
export const whyNot = process.getuid?.() === 0 ? false : "needs root";

export interface OtherCluster {
  readonly api: TestServer;
  readonly client: Client;
  /** Of the account of examples/ingress/rbac.yaml. */
  readonly kubeconfig: string;
  readonly folder: string;
}

const account = {
  name: "system:serviceaccount:fairlead-ingress:fairlead-ingress",
  groups: ["system:serviceaccounts", "system:serviceaccounts:fairlead-ingress", "system:authenticated"],
};

/** The API of a cluster that is there already, with the account of these examples and a namespace `dev`. */
export async function startOtherCluster(t: TestContext, examples: string): Promise<OtherCluster> {
  spawnSync("ip", ["addr", "replace", `${endpointAddress}/32`, "dev", "lo"]);
  const folder = mkdtempSync(join(tmpdir(), "fairlead-ingress-"));
  const kubeconfig = join(folder, "kubeconfig");
  const api = await startTestServer({ tokens: [{ token: "ingress", user: account }] });
  t.after(async () => {
    await api.stop();
    rmSync(folder, { recursive: true });
  });
  const client = api.localClient({ name: "test", groups: ["system:masters"] });
  for (const name of ["dev", "kube-system"]) {
    if ((await client.get("Namespace", { name })) === undefined)
      await client.create("Namespace", { metadata: { name } });
  }
  const { objects } = loadManifests([join(import.meta.dirname, "../../..", examples)]);
  for (const outcome of await applyManifests(client, objects)) {
    if (outcome.outcome === "refused") throw new Error(`${outcome.object}: ${outcome.message}`);
  }
  const { ca } = api.certificates;
  writeFileSync(kubeconfig, renderKubeconfig({ name: "other", server: api.url, ca, token: "ingress" }), {
    mode: 0o600,
  });
  return { api, client, kubeconfig, folder };
}

/** A Service `dev/NAME` with one endpoint at this port. */
export async function createService(client: Client, name: string, port: number): Promise<void> {
  const metadata = { name, namespace: "dev" };
  const clusterIP = `10.96.0.${20 + name.length}`;
  await client.create("Service", {
    metadata,
    spec: { clusterIP, clusterIPs: [clusterIP], ports: [{ port: 80, targetPort: port }] },
  });
  await client.create("EndpointSlice", {
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    endpoints: [{ addresses: [endpointAddress], conditions: { ready: true } }],
    ports: [{ port }],
  });
}

/** `fairlead ingress` on ports 80 and 443 of this sandbox. */
export async function startIngressProcess(
  t: TestContext,
  { kubeconfig }: OtherCluster,
  ...flags: readonly string[]
): Promise<Attached> {
  const election = ["--election-namespace", "fairlead-ingress"];
  const attached = startAttached(["--kubeconfig", kubeconfig, ...election, ...flags], {}, { command: "ingress" });
  t.after(async () => {
    attached.child.kill("SIGTERM");
    attached.child.kill("SIGTERM");
    await attached.ended;
  });
  await attached.hears(/\/healthz and \/metrics at/);
  return attached;
}

/** What /proc tells of a process. */
export function statusOf(pid: number): Record<string, string> {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Object.fromEntries(text.split("\n").map((line) => line.split(/:\s*/, 2) as [string, string]));
}

/** The processes that a process has started and that are there. */
export function childrenOf(pid: number | undefined): number[] {
  return readdirSync("/proc").flatMap((entry) => {
    try {
      return /^\d+$/.test(entry) && Number(statusOf(Number(entry))["PPid"]) === pid ? [Number(entry)] : [];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
}
