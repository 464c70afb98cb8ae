import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { renderKubeconfig } from "#client/kubeconfig.ts";
import type { Client } from "#client/contract.ts";
import { makePair } from "../../fakes/certificate.ts";
import { letDoAll, startTestServer, testCertificates, type TestServer } from "../../fakes/api-server.ts";
import { startFakeUpstream, type FakeUpstream } from "../../fakes/dns-upstream.ts";
import { startAttached, type Attached } from "../attached.ts";

const skip = spawnSync("dig", ["-v"]).error === undefined ? false : "dig is not installed";
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "fairlead-dns-"));
const kubeconfig = join(folder, "kubeconfig");
const config = join(folder, "dns.yml");

let api: TestServer;
let client: Client;
let upstream: FakeUpstream;

before(async () => {
  api = await startTestServer({
    tokens: [
      { token: "weak", user: { name: "weak", groups: ["system:authenticated"] } },
      { token: "reader", user: { name: "reader", groups: ["system:authenticated"] } },
    ],
  });
  client = api.localClient({ name: "test", groups: ["system:masters"] });
  await letDoAll(api, "reader");
  upstream = await startFakeUpstream(() => ({ answers: ["www.example.test. 300 A 192.0.2.1"] }));
  const { ca } = api.certificates;
  writeFileSync(kubeconfig, renderKubeconfig({ name: "other", server: api.url, ca, ...api.certificates.admin }));
  await client.create("Namespace", { metadata: { name: "dev" } });
  await client.create("Service", { metadata: { name: "web", namespace: "dev" }, spec: service("10.96.0.20") });
});

after(async () => {
  await api.stop();
  await upstream.stop();
  rmSync(folder, { recursive: true });
});

const service = (clusterIP: string) => ({ clusterIP, clusterIPs: [clusterIP], ports: [{ port: 80 }] });

function configText(more = ""): string {
  return [
    "http: { health: 127.0.0.1:0, ready: 127.0.0.1:0, metrics: 127.0.0.1:0, lameduckMs: 60000 }",
    `forward: [{ zone: ., to: ["127.0.0.1:${upstream.port}"] }]`,
    more,
  ].join("\n");
}

/** Replaces the file in one step, as a mounted ConfigMap is replaced. */
function writeConfig(text: string): void {
  writeFileSync(`${config}.new`, text);
  renameSync(`${config}.new`, config);
}

async function portOf(attached: Attached): Promise<string> {
  const text = await attached.hears(/^DNS for .* at 127/);
  return text.slice(text.lastIndexOf(":") + 1);
}

async function urlOf(attached: Attached, part: string): Promise<string> {
  return (await attached.hears(new RegExp(`^/${part} at `))).replace(/^.* at /, "");
}

async function dig(port: string, ...args: string[]): Promise<string> {
  const { stdout } = await run("dig", ["@127.0.0.1", "-p", port, "+tries=1", "+time=3", ...args]);
  return stdout;
}

/** Asks until the answer fits, for ten seconds. */
async function until(ask: () => Promise<string>, pattern: RegExp): Promise<string> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const text = await ask();
    if (pattern.test(text)) return text;
    if (Date.now() > deadline) assert.match(text, pattern);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function status(url: string): Promise<string> {
  const response = await fetch(url);
  return `${response.status} ${await response.text()}`;
}

test(
  "serves the names of a cluster that runs elsewhere, follows it and its configuration, and goes slowly",
  { skip },
  async () => {
    writeConfig(configText());
    const attached = startAttached(["--kubeconfig", kubeconfig, "--config", config, "--listen", "127.0.0.1:0"]);
    try {
      const port = await portOf(attached);
      const [health, ready, metrics] = await Promise.all(
        ["health", "ready", "metrics"].map((part) => urlOf(attached, part)),
      );
      await until(() => status(ready ?? ""), /^200 OK$/);
      assert.equal(await status(health ?? ""), "200 OK");
      const name = "web.dev.svc.cluster.local";
      assert.match(
        await dig(port, name),
        /status: NOERROR[^]*web\.dev\.svc\.cluster\.local\.\s+30\s+IN\s+A\s+10\.96\.0\.20/,
      );
      assert.match(await dig(port, "+tcp", name), /10\.96\.0\.20/);
      assert.match(await dig(port, "nope.dev.svc.cluster.local"), /status: NXDOMAIN/);
      assert.match(await dig(port, "www.example.test"), /192\.0\.2\.1/);

      await client.create("Service", { metadata: { name: "later", namespace: "dev" }, spec: service("10.96.0.21") });
      await until(() => dig(port, "+short", "later.dev.svc.cluster.local"), /^10\.96\.0\.21$/m);
      await client.delete("Service", { namespace: "dev", name: "later" });
      await until(() => dig(port, "later.dev.svc.cluster.local"), /NXDOMAIN/);

      const counted = await status(metrics ?? "");
      assert.match(counted, /coredns_dns_requests_total\{[^}]*proto="tcp"[^}]*type="A"\} 1/);
      assert.match(counted, /process_resident_memory_bytes \d+/);
      assert.match(counted, /coredns_reload_failed_total 0/);

      writeConfig(configText("ttlSeconds: 7\nttlSecond: 8"));
      assert.match(
        await attached.hears(/cannot be used/),
        /dns\.yml:4: ttlSecond is not a key; did you mean ttlSeconds\?/,
      );
      assert.match(await dig(port, "+noall", "+answer", name), /\s30\s/);
      assert.match(await status(metrics ?? ""), /coredns_reload_failed_total 1/);
      writeConfig(configText("ttlSeconds: 7"));
      await attached.hears(/has changed and is in use/);
      assert.match(await dig(port, "+noall", "+answer", name), /\s7\s/);
      assert.match(await status(ready ?? ""), /^200/);

      attached.child.kill("SIGTERM");
      await attached.hears(/^Going: answers for 60 s more/);
      assert.match(await status(ready ?? ""), /^503 shutting down/);
      assert.equal(await status(health ?? ""), "200 OK");
      assert.match(await dig(port, name), /10\.96\.0\.20/);
      attached.child.kill("SIGTERM");
      assert.equal(await attached.ended, 0);
      await attached.hears(/^DNS stopped$/);
      assert.doesNotMatch(attached.errors(), /"level":(50|60)/);
    } finally {
      attached.child.kill("SIGKILL");
    }
  },
);

test("takes the Corefile of a cluster", { skip }, async () => {
  const corefile = join(folder, "Corefile");
  writeFileSync(
    corefile,
    `.:0 {\n bind 127.0.0.1\n errors\n health 127.0.0.1:0 {\n lameduck 0s\n }\n ready 127.0.0.1:0\n` +
      ` kubernetes other.domain in-addr.arpa ip6.arpa {\n pods insecure\n ttl 11\n }\n` +
      ` prometheus 127.0.0.1:0\n forward . 127.0.0.1:${upstream.port}\n cache 30\n autopath @kubernetes\n}\n`,
  );
  const attached = startAttached(["--kubeconfig", kubeconfig, "--config", corefile]);
  try {
    const port = await portOf(attached);
    assert.match(await attached.hears(/autopath/), /Corefile:15: plugin autopath is not built here \(ignored\)/);
    await until(async () => status(await urlOf(attached, "ready")), /^200/);
    assert.match(await dig(port, "+noall", "+answer", "web.dev.svc.other.domain"), /\s11\s+IN\s+A\s+10\.96\.0\.20/);
    attached.child.kill("SIGTERM");
    assert.equal(await attached.ended, 0);
  } finally {
    attached.child.kill("SIGKILL");
  }
});

const account = "/run/secrets/kubernetes.io/serviceaccount";
const noAccount = skip || (process.getuid?.() !== 0 || existsSync("/run/secrets") ? "needs a /run of its own" : false);

test("uses the account of the pod it runs in", { skip: noAccount }, async () => {
  mkdirSync(account, { recursive: true });
  writeFileSync(join(account, "ca.crt"), api.certificates.ca);
  writeFileSync(join(account, "token"), "reader\n");
  writeConfig(configText());
  const { hostname: KUBERNETES_SERVICE_HOST, port: KUBERNETES_SERVICE_PORT } = new URL(api.url);
  const env = { KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT };
  const attached = startAttached(["--config", config, "--listen", "127.0.0.1:0"], env);
  try {
    const port = await portOf(attached);
    await until(() => dig(port, "web.dev.svc.cluster.local"), /10\.96\.0\.20/);
  } finally {
    attached.child.kill("SIGKILL");
    await attached.ended;
    rmSync("/run/secrets", { recursive: true });
  }
});

test("waits for an API that is not there yet, and answers SERVFAIL until then", { skip }, async () => {
  const port = await freePort();
  const { ca, admin } = await testCertificates();
  const late = join(folder, "late");
  writeFileSync(late, renderKubeconfig({ name: "late", server: `https://127.0.0.1:${port}`, ca, ...admin }));
  writeConfig(configText());
  const attached = startAttached(["--kubeconfig", late, "--config", config, "--listen", "127.0.0.1:0"]);
  let server: TestServer | undefined;
  try {
    const dns = await portOf(attached);
    await attached.hears(/cannot be reached.*trying again/);
    assert.match(await dig(dns, "web.dev.svc.cluster.local"), /status: SERVFAIL/);
    assert.match(await dig(dns, "www.example.test"), /192\.0\.2\.1/);
    assert.equal(await status(await urlOf(attached, "ready")), "503 kubernetes");
    server = await startTestServer({ listen: [{ host: "127.0.0.1", port }] });
    const owner = server.localClient({ name: "test", groups: ["system:masters"] });
    await owner.create("Namespace", { metadata: { name: "dev" } });
    await owner.create("Service", { metadata: { name: "web", namespace: "dev" }, spec: service("10.96.0.30") });
    await until(() => dig(dns, "web.dev.svc.cluster.local"), /10\.96\.0\.30/);
    attached.child.kill("SIGTERM");
    await attached.hears(/^Going/);
    attached.child.kill("SIGTERM");
    assert.equal(await attached.ended, 0);
  } finally {
    attached.child.kill("SIGKILL");
    await server?.stop();
  }
});

function kubeconfigOf(name: string, user: { token: string; ca?: string }): string {
  const path = join(folder, name);
  writeFileSync(path, renderKubeconfig({ name, server: api.url, ca: api.certificates.ca, ...user }));
  return path;
}

function writtenConfig(text: string): string {
  const path = join(folder, "wrong.yml");
  writeFileSync(path, text);
  return path;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

const refusals: Record<string, { args: () => Promise<string[]> | string[]; error: RegExp; next?: RegExp }> = {
  "an account that nobody knows": {
    args: () => ["--kubeconfig", kubeconfigOf("unknown", { token: "unknown" })],
    error: /does not know this account/,
  },
  "an account that may not list": {
    args: () => ["--kubeconfig", kubeconfigOf("weak", { token: "weak" })],
    error: /does not let this account list .*User "weak" cannot list resource "namespaces"/,
    next: /get, list and watch of namespaces, services, pods and endpointslices\.discovery\.k8s\.io/,
  },
  "a server with a certificate of another authority": {
    args: async () => ["--kubeconfig", kubeconfigOf("other", { token: "weak", ca: (await makePair("other")).cert })],
    error: /does not show a certificate of the authority that is expected/,
    next: /certificate-authority-data/,
  },
  "a port that is taken": {
    args: async () => ["--kubeconfig", kubeconfig, "--listen", `127.0.0.1:${new URL(api.url).port}`],
    error: /another program listens there/,
    next: /--listen 127\.0\.0\.1:5353/,
  },
  "an address of another machine": {
    args: () => ["--kubeconfig", kubeconfig, "--listen", "192.0.2.77:5353"],
    error: /does not have that address/,
  },
  "a context that is not there": {
    args: () => ["--kubeconfig", kubeconfig, "--context", "absent"],
    error: /contexts holds no "absent"/,
  },
  "a configuration with errors, all at once": {
    args: () => ["--kubeconfig", kubeconfig, "--config", writtenConfig("tttl: 3\nworkers: 0\npods: secure")],
    error: /:1: tttl is not a key[^]*:2: workers must be[^]*:3: pods must be one of/,
  },
  "flags that are wrong, all at once": {
    args: () => ["--kubeconfig", kubeconfig, "--listen", "here", "--cluster-domain", "-"],
    error: /--listen: here is not[^]*--cluster-domain: - is not/,
  },
  "no cluster at all": { args: () => [], error: /no cluster is named/, next: /--kubeconfig FILE/ },
};

for (const [what, { args, error, next }] of Object.entries(refusals)) {
  test(`refuses ${what}, in one clear sentence`, async () => {
    const attached = startAttached(await args(), { KUBERNETES_SERVICE_HOST: "" });
    assert.equal(await attached.ended, 1);
    const told = attached.said.find(({ type }) => type === "error");
    assert.match(told?.text ?? "", error);
    if (next !== undefined) assert.match(told?.next ?? "", next);
    assert.doesNotMatch(attached.errors(), /\bat .*\.ts:\d+/);
  });
}
