import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect as connectTls } from "node:tls";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { makePair } from "../../fakes/certificate.ts";
import { eventually } from "../../fakes/eventually.ts";
import {
  childrenOf,
  createService,
  endpointAddress,
  statusOf,
  startIngressProcess,
  startOtherCluster,
  whyNot,
} from "./cluster.ts";

async function endpoint(t: TestContext, name: string): Promise<number> {
  const server = createServer((_, response) => response.end(name)).listen(0, endpointAddress);
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function get(host: string, path = "/", port = 80): Promise<string> {
  const asked = request({ host: "127.0.0.1", port, path, headers: { Host: host }, agent: false }).end();
  const [response] = (await once(asked, "response")) as [NodeJS.ReadableStream & { statusCode: number }];
  let text = "";
  for await (const part of response) text += String(part);
  return `${response.statusCode} ${text}`;
}

const rule = (host: string, service: string) => ({
  host,
  http: {
    paths: [{ path: "/", pathType: "Prefix" as const, backend: { service: { name: service, port: { number: 80 } } } }],
  },
});

test("Ingress for a cluster that is there already", { skip: whyNot, timeout: 120_000 }, async (t) => {
  const cluster = await startOtherCluster(t, "examples/ingress");
  const { client } = cluster;
  await createService(client, "web", await endpoint(t, "web"));
  const pair = await makePair("default.example");
  const encoded = (text: string) => Buffer.from(text).toString("base64");
  await client.create("Secret", {
    metadata: { name: "standard", namespace: "dev" },
    type: "kubernetes.io/tls",
    data: { "tls.crt": encoded(pair.cert), "tls.key": encoded(pair.key) },
  });
  await client.create("ConfigMap", {
    metadata: { name: "options", namespace: "dev" },
    data: { hsts: "false", "proxy-body-size": "10" },
  });
  await client.create("Service", {
    metadata: { name: "front", namespace: "dev" },
    spec: { clusterIP: "10.96.0.99", clusterIPs: ["10.96.0.99"], externalIPs: ["192.0.2.9"], ports: [{ port: 80 }] },
  });
  const metadata = (name: string) => ({ name, namespace: "dev" });
  const className = { ingressClassName: "fairlead" };
  await client.create("Ingress", {
    metadata: metadata("ours"),
    spec: { ...className, rules: [rule("a.test", "web")] },
  });
  await client.create("Ingress", { metadata: metadata("theirs"), spec: { rules: [rule("b.test", "web")] } });
  await client.create("Ingress", {
    metadata: { ...metadata("legacy"), annotations: { "kubernetes.io/ingress.class": "fairlead" } },
    spec: { rules: [rule("c.test", "none")] },
  });
  const flags = [
    "--publish-service",
    "dev/front",
    "--default-ssl-certificate",
    "dev/standard",
    "--configmap",
    "dev/options",
  ];
  const attached = await startIngressProcess(t, cluster, ...flags);

  await t.test("serves what is of its class, and nothing else", async () => {
    assert.equal(await get("a.test"), "200 web");
    assert.match(await get("b.test"), /^404 /);
    assert.match(await get("c.test"), /^503 /);
  });

  await t.test("the account of the example is enough: status by the leader, Events about problems", async () => {
    await eventually(async () => {
      const ours = await client.get("Ingress", metadata("ours"));
      return ours?.status?.loadBalancer?.ingress?.[0]?.ip === "192.0.2.9";
    });
    const theirs = await client.get("Ingress", metadata("theirs"));
    assert.equal(theirs?.status?.loadBalancer?.ingress, undefined);
    const lease = await client.get("Lease", { namespace: "fairlead-ingress", name: "fairlead-ingress-leader" });
    assert.notEqual(lease?.spec?.holderIdentity, "");
    await eventually(async () => {
      const { items } = await client.list("Event", { namespace: "dev" });
      return items.some(({ involvedObject }) => involvedObject.name === "legacy");
    });
    assert.doesNotMatch(attached.errors(), /Forbidden|forbidden/);
  });

  await t.test("the options of the ConfigMap hold, and the default certificate is that of the Secret", async () => {
    const asked = request({ host: "127.0.0.1", method: "POST", headers: { Host: "a.test" }, agent: false });
    asked.end("more than ten bytes");
    const [{ statusCode }] = (await once(asked, "response")) as [{ statusCode: number }];
    assert.equal(statusCode, 413);
    await eventually(async () => {
      const socket = connectTls({ host: "127.0.0.1", port: 443, rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return subject.CN === "default.example";
    });
  });

  await t.test("follows changes, and says how it is", async () => {
    await client.create("Ingress", {
      metadata: metadata("later"),
      spec: { ...className, rules: [rule("d.test", "web")] },
    });
    await eventually(async () => (await get("d.test")) === "200 web");
    assert.equal(await get("any", "/healthz", 10254), "200 ok\n");
    assert.match(await get("any", "/metrics", 10254), /nginx_ingress_controller_requests\{/);
  });

  await t.test("what serves has one right, and no way to more", async () => {
    const { pid = 0 } = attached.child;
    const [serving = 0] = childrenOf(pid);
    const status = statusOf(serving);
    assert.match(status["Uid"] ?? "", /^65532\t65532\t65532\t65532$/);
    assert.match(status["Gid"] ?? "", /^65532\t65532\t65532\t65532$/);
    assert.equal((status["Groups"] ?? "").trim(), "");
    assert.equal(status["NoNewPrivs"], "1");
    // CAP_NET_BIND_SERVICE is bit 10.
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      assert.equal(status[set], "0000000000000400", set);
    for (const task of readdirSync(`/proc/${serving}/task`)) {
      const text = readFileSync(`/proc/${serving}/task/${task}/status`, "utf8");
      assert.match(text, /^Uid:\t65532\t65532\t65532\t65532$/m);
      assert.match(text, /^CapEff:\t0000000000000400$/m);
    }
    // Nothing of the credentials: neither in what it was started with, nor in what it has open.
    const [environment, line] = ["environ", "cmdline"].map((name) => readFileSync(`/proc/${serving}/${name}`, "utf8"));
    assert.doesNotMatch(`${environment}${line}`, /kubeconfig|KUBE/i);
  });

  await t.test("a process that dies is replaced, with its table", async () => {
    const [serving = 0] = childrenOf(attached.child.pid);
    process.kill(serving, "SIGKILL");
    await eventually(() => childrenOf(attached.child.pid).some((pid) => pid !== serving));
    await eventually(async () => (await get("d.test").catch(() => "")) === "200 web");
  });

  await t.test("a port below 1024 that comes later is had, too", async () => {
    const ports = await endpoint(t, "stream");
    await createService(client, "streamed", ports);
    attached.child.kill("SIGTERM");
    await attached.ended;
    await client.create("ConfigMap", { metadata: metadata("tcp"), data: {} });
    await startIngressProcess(t, cluster, "--tcp-services-configmap", "dev/tcp", "--drain-timeout", "1");
    await client.patch("ConfigMap", metadata("tcp"), { data: { "910": "dev/streamed:80" } });
    await eventually(async () => (await get("any", "/", 910).catch(() => "")) === "200 stream");
  });
});
