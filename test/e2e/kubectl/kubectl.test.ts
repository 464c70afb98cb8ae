import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bootstrap } from "#apiserver/bootstrap.ts";
import type { Event } from "#api/core/event/kind.ts";
import type { Client, New } from "#client/contract.ts";
import { renderKubeconfig } from "#client/kubeconfig.ts";
import { rfc3339 } from "#base/clock.ts";
import { startTestServer, type TestServer } from "../../fakes/api-server.ts";
import { findKubectls, type Kubectl } from "./kubectls.ts";
import { expectOutput, readSteps, runStep, type Step } from "./steps.ts";

const here = new URL(".", import.meta.url).pathname;
const admin = { name: "test", groups: ["system:masters"] };

for (const kubectl of findKubectls()) {
  test(`${kubectl.name} works as with any other server`, { skip: kubectl.missing ?? false }, async (t) => {
    const server = await startTestServer();
    const home = mkdtempSync(join(tmpdir(), "fairlead-kubectl-"));
    try {
      const client = server.localClient(admin);
      await bootstrap(client, {
        serviceCidrs: ["10.96.0.0/12"],
        serviceAddress: "10.96.0.1",
        apiEndpoints: [{ address: "192.0.2.1", port: 6443 }],
      });
      prepareHome(home, server);
      for (const file of ["commands.txt", "server-side.txt"]) {
        for (const step of readSteps(file, kubectl))
          await t.test(step.line, () => take(step, { kubectl, home, server, client }));
      }
    } finally {
      await server.stop();
      rmSync(home, { recursive: true });
    }
  });
}

interface Ground {
  readonly kubectl: Kubectl;
  readonly home: string;
  readonly server: TestServer;
  readonly client: Client;
}

function prepareHome(home: string, { certificates, url }: TestServer): void {
  cpSync(join(here, "files"), home, { recursive: true });
  const text = renderKubeconfig({ server: url, ca: certificates.ca, ...certificates.admin, name: "test" });
  writeFileSync(join(home, "kubeconfig"), text, { mode: 0o600 });
  writeFileSync(join(home, "server.crt"), certificates.server.cert);
  writeFileSync(join(home, "server.key"), certificates.server.key);
}

function environment(home: string): NodeJS.ProcessEnv {
  // What `kubectl edit` is given as an editor: a change of one label's value.
  const editor = "sed -i 's/tier: front/tier: back/'";
  return { PATH: process.env["PATH"], HOME: home, KUBECONFIG: join(home, "kubeconfig"), KUBE_EDITOR: editor };
}

async function take(step: Step, ground: Ground): Promise<void> {
  const output = step.own
    ? await act(step, ground)
    : await runStep(step, { kubectl: ground.kubectl, cwd: ground.home, env: environment(ground.home) });
  expectOutput(step, output);
}

/** What no command can say: the work of controllers, a watch that is looked at, what must not be printed. */
async function act({ words: [what = "", name = "", extra = ""] }: Step, ground: Ground): Promise<string> {
  const { client, server } = ground;
  const now = rfc3339(Date.now());
  switch (what) {
    case "ready": {
      const deployment = await client.get("Deployment", { namespace: "app", name });
      assert.ok(deployment);
      const { generation: observedGeneration } = deployment.metadata;
      const counts = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
      const times = { lastTransitionTime: now, lastUpdateTime: now };
      const conditions = [{ type: "Available", status: "True" as const, reason: "Ready", message: "", ...times }];
      await client.updateStatus("Deployment", { ...deployment, status: { observedGeneration, ...counts, conditions } });
      return "";
    }
    case "event": {
      const service = await client.get("Service", { namespace: "app", name });
      const { uid = "" } = service?.metadata ?? {};
      const involvedObject = { kind: "Service", namespace: "app", name, uid, apiVersion: "v1" };
      const times = { firstTimestamp: now, lastTimestamp: now, count: 1 };
      const words = { reason: "Tested", message: "something happened", type: "Normal" };
      const source = { component: "test" };
      const metadata = { name: "e", namespace: "app" };
      await client.create("Event", { metadata, involvedObject, source, ...words, ...times } as New<Event>);
      return "";
    }
    case "finalize": {
      const { registry } = server;
      for (const { resource } of registry.definitions.filter(({ resource }) => resource.namespaced)) {
        for (const { metadata } of (await client.list(resource.kind, { namespace: name })).items) {
          await client.delete(resource.kind, metadata);
        }
      }
      const change = (before: object) => structuredClone({ ...before, spec: { finalizers: [] } }) as never;
      await registry.update(
        { kind: "Namespace", key: { name }, subresource: "finalize", change },
        {
          user: admin,
          fieldManager: "test",
        },
      );
      return "";
    }
    case "hidden": {
      const words = ["get", "cm", name, "-n", "team", "-o", "yaml"];
      const { kubectl, home } = ground;
      const step = { line: words.join(" "), words, own: false, fails: false, expected: [] };
      const output = await runStep(step, { kubectl, cwd: home, env: environment(home) });
      assert.doesNotMatch(output, /managedFields/);
      return output;
    }
    case "watch":
      return watchOnce(ground, name, extra);
    default:
      throw new Error(`the table asks for ${what}, which the test cannot do`);
  }
}

/** Starts `get -w`, changes the object once the first line is there, and returns what came after it. */
function watchOnce({ kubectl, home, client }: Ground, resource: string, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ["get", resource, name, "-n", "app", "-w", "--no-headers"];
    const child = spawn(kubectl.path ?? "", args, { cwd: home, env: environment(home) });
    const deadline = setTimeout(() => child.kill("SIGKILL"), 20_000);
    let lines: string[] = [];
    let output = "";
    let changes = 0;
    // Again and again: kubectl prints the first line before it watches, and skips what it then finds.
    const change = () => {
      changes += 1;
      const patch = { metadata: { annotations: { seen: String(changes) } } };
      client.patch("Service", { namespace: "app", name }, patch).catch(reject);
    };
    let changing: NodeJS.Timeout | undefined;
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      lines = output.split("\n").slice(0, -1);
      changing ??= setInterval(change, 100);
      if (lines.length >= 2) child.kill();
    });
    child.on("close", () => {
      clearTimeout(deadline);
      clearInterval(changing);
      if (lines.length >= 2) resolve(lines.slice(1).join("\n"));
      else reject(new Error(`get -w printed only: ${output}`));
    });
  });
}
