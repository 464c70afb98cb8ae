import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { renderKubeconfig } from "#client/kubeconfig.ts";
import { createMemoryStore } from "#store/drivers/memory.ts";
import { startTestServer } from "../../test/fakes/api-server.ts";
import { queryFor, sendUdp } from "../../test/fakes/dns-client.ts";
import { addressOf, serviceName, services } from "./names.ts";
import { memoryOf } from "./processes.ts";

const endpointsEach = 10;
const project = join(import.meta.dirname, "../..");
const program = join(project, "dist/fairlead.js");

/**
 * The memory in MB of `fairlead dns` beside an API server of its own: 10,000 Services with 10 endpoints each, whose
 * slices say all that the controllers of a cluster say.
 */
export async function memoryAttached(): Promise<number> {
  // As it is published: from source, the compiler of types would be weighed too.
  spawnSync(process.execPath, ["scripts/build.ts"], { cwd: project, stdio: ["ignore", "ignore", "inherit"] });
  const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-dns-"));
  const api = await startTestServer({ store: createMemoryStore() });
  const client = api.localClient({ name: "bench", groups: ["system:masters"] });
  await client.create("Namespace", { metadata: { name: "dev" } });
  for (let index = 0; index < services; index++) {
    const name = `web-${index}`;
    await client.create("Service", { metadata: { name, namespace: "dev" }, spec: serviceSpec(index) });
    await client.create("EndpointSlice", sliceOf(index));
  }
  const { ca, admin } = api.certificates;
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, renderKubeconfig({ name: "bench", server: api.url, ca, ...admin }));
  const config = join(folder, "dns.yml");
  writeFileSync(config, "http: { ready: 127.0.0.1:0 }\n");
  const args = ["dns", "--json", "--kubeconfig", kubeconfig, "--config", config, "--listen", "127.0.0.1:0"];
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const port = await portOf(child.stdout);
    const last = queryFor(serviceName(services - 1), "A");
    for (;;) {
      const answer = await sendUdp({ address: "127.0.0.1", port }, last, 1_000);
      if (answer !== undefined && (answer.readUInt8(3) & 15) === 0) break;
      // It says SERVFAIL at once: without a pause the questions would be most of what it does.
      await setTimeout(50);
    }
    // Time to give back what only the reading needed.
    await setTimeout(2_000);
    return memoryOf(child.pid ?? 0);
  } finally {
    child.kill("SIGKILL");
    await api.stop();
    rmSync(folder, { recursive: true });
  }
}

async function portOf(output: NodeJS.ReadableStream): Promise<number> {
  for await (const line of createInterface({ input: output })) {
    const port = /^DNS for .* at .*:(\d+)$/.exec((JSON.parse(line) as { text: string }).text)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error("fairlead dns ended before it answered");
}

function serviceSpec(index: number): object {
  const selector = { app: `web-${index}` };
  return { clusterIP: addressOf(index), clusterIPs: [addressOf(index)], selector, ports: [{ name: "http", port: 80 }] };
}

function sliceOf(index: number) {
  const endpoints = Array.from({ length: endpointsEach }, (_, at) => {
    const number = index * endpointsEach + at;
    return {
      addresses: [`10.${128 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node-${number % 100}`,
      zone: `zone-${number % 3}`,
      targetRef: {
        kind: "Pod",
        namespace: "dev",
        name: `web-${index}-7d4b9c6f5-${number.toString(36)}`,
        uid: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
      },
    };
  });
  return {
    metadata: {
      name: `web-${index}-x7k2p`,
      namespace: "dev",
      labels: {
        app: `web-${index}`,
        "kubernetes.io/service-name": `web-${index}`,
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
      },
    },
    addressType: "IPv4" as const,
    endpoints,
    ports: [{ name: "http", port: 8080, protocol: "TCP" as const }],
  };
}
