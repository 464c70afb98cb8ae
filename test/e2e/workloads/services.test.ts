import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { after, before, describe, test } from "node:test";
import {
  curl,
  curlMany,
  curlStatus,
  eventually,
  rowsOf,
  run,
  startCluster,
  whyNoCluster,
  type TestCluster,
} from "../cluster.ts";
import { apply, echo, pod, service, shell } from "./objects.ts";

describe("Services", { skip: whyNoCluster() }, () => {
  let cluster: TestCluster;
  let address = "";

  before(async () => {
    cluster = await startCluster({ args: ["--http-port", "8080", "--https-port", "8443"] });
    const ports = [
      { name: "http", port: 80, targetPort: "http", nodePort: 30080 },
      { name: "tcp", port: 9000, targetPort: "tcp", nodePort: 30900 },
      { name: "udp", port: 9000, targetPort: "udp", protocol: "UDP", nodePort: 30900 },
    ];
    const probes = ["node-1", "node-2", "node-3"].map((name) =>
      pod(`on-${name}`, shell("exec sleep 1000"), { nodeName: name, terminationGracePeriodSeconds: 0 }),
    );
    apply(cluster, echo("web", 3), service("web", { type: "NodePort", ports }), ...probes);
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s");
    cluster.kubectl("wait", "--for=condition=Ready", "pod/on-node-1", "pod/on-node-2", "pod/on-node-3");
    address = addressOf("web");
  });
  after(() => cluster?.purge());

  const addressOf = (name: string) => cluster.kubectl("get", "svc", name, "-o=jsonpath={.spec.clusterIP}");
  const patch = (spec: object) =>
    cluster.kubectl("patch", "svc", "web", "--type=merge", "-p", JSON.stringify({ spec }));
  const pods = () => rowsOf(cluster.kubectl("get", "pod", "-l", "app=web", "-o", "wide"));
  const inPod = (name: string, ...command: string[]) => cluster.tryKubectl("exec", name, "--", ...command);
  const answerers = (url: string, times = 12) =>
    new Set([...curlMany(url, times).matchAll(/^Hostname: (.*)$/gm)].map(([, name]) => name));
  const refused = (url: string) => run("curl", ["-s", "-m", "2", "-o", "/dev/null", url]).status === 7;

  test("one number for TCP and UDP leads to two ports", async () => {
    await eventually(async () => assert.equal(await askUdp(address, 9000, "over UDP"), "over UDP"));
    const node = cluster.reach.nodes[2]?.address ?? "";
    assert.equal(await askUdp(node, 30900, "by node port"), "by node port");
    const echoed = inPod("on-node-1", "bash", "-c", "exec 3<>/dev/tcp/web/9000; echo over TCP >&3; head -1 <&3");
    assert.equal(echoed.stdout, "over TCP\n");
  });

  test("a pod reaches itself through its own Service, whichever node it is on", () => {
    const name = pods()[0]?.["NAME"] ?? "";
    const asked = inPod(name, "sh", "-c", "for i in $(seq 20); do curl -s -m 3 http://web/ || echo failed; done");
    assert.equal(asked.stdout.match(/^Hostname: /gm)?.length, 20);
    assert.match(asked.stdout, new RegExp(`^Hostname: ${name}$`, "m"));
  });

  test("pods see each other's own addresses", () => {
    const ip = cluster.kubectl("get", "pod", "on-node-1", "-o=jsonpath={.status.podIP}");
    for (const row of pods()) {
      assert.equal(inPod("on-node-1", "curl", "-s", "-m", "3", `http://${row["IP"]}:8080/`).status, 0);
      const log = cluster.kubectl("logs", row["NAME"] ?? "", "--tail=5");
      assert.ok(log.includes(`:${ip} GET /`), log);
    }
  });

  test("ClientIP affinity holds for its time and ends", async () => {
    patch({ sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } } });
    await eventually(() => assert.equal(answerers(`http://${address}/`).size, 1));
    const seen = new Set<string | undefined>();
    await eventually(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1100));
      for (const name of answerers(`http://${address}/`, 1)) seen.add(name);
      assert.ok(seen.size > 1);
    }, 20_000);
    patch({ sessionAffinity: "None" });
    await eventually(() => assert.equal(answerers(`http://${address}/`, 30).size, 3));
  });

  test("externalTrafficPolicy Local: only nodes with a pod answer, and the pod sees the client's address", async () => {
    cluster.kubectl("scale", "deployment/web", "--replicas=1");
    patch({ externalTrafficPolicy: "Local" });
    await eventually(() => assert.equal(pods().length, 1));
    const row = pods()[0];
    await eventually(() => {
      const answering = cluster.reach.nodes.filter(
        (node) => run("curl", ["-s", "-m", "0.5", "-o", "/dev/null", `http://${node.address}:30080/`]).status === 0,
      );
      assert.deepEqual(
        answering.map(({ name }) => name),
        [row?.["NODE"]],
      );
    });
    assert.match(cluster.kubectl("logs", row?.["NAME"] ?? "", "--tail=20"), /172\.30\.0\.254 GET \/ 200/);
    patch({ externalTrafficPolicy: "Cluster" });
  });

  test("internalTrafficPolicy Local: only pods of the same node reach it", async () => {
    patch({ internalTrafficPolicy: "Local" });
    const node = pods()[0]?.["NODE"];
    await eventually(() => {
      const reaching = ["node-1", "node-2", "node-3"].filter(
        (name) => inPod(`on-${name}`, "curl", "-s", "-m", "0.5", `http://${address}/`).status === 0,
      );
      assert.deepEqual(reaching, [node]);
    });
    patch({ internalTrafficPolicy: "Cluster" });
  });

  test("externalIPs answer to what is routed to a node", async () => {
    patch({ externalIPs: ["198.51.100.7"] });
    run("ip", ["route", "add", "198.51.100.7", "via", cluster.reach.nodes[0]?.address ?? ""]);
    await eventually(() => assert.match(curl("http://198.51.100.7/"), /^Hostname: web-/));
    patch({ externalIPs: null });
    run("ip", ["route", "del", "198.51.100.7"]);
  });

  test("a UDP client goes on with the pod that replaces its own", async () => {
    await eventually(async () => assert.equal(await askUdp(address, 9000, "first"), "first"));
    const socket = createSocket("udp4");
    const answers: number[] = [];
    socket.on("message", () => answers.push(performance.now()));
    socket.on("error", () => {});
    socket.connect(9000, address);
    await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
    const asking = setInterval(() => socket.send("again", () => {}), 10);
    try {
      cluster.kubectl("rollout", "restart", "deployment/web");
      cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s");
      await eventually(() => assert.equal(pods().length, 1));
      const since = performance.now();
      await eventually(() => assert.ok((answers.at(-1) ?? 0) > since + 100), 3000);
    } finally {
      clearInterval(asking);
      socket.close();
    }
  });

  test("no endpoints: refused at once, and served at once when there are some", async () => {
    patch({ selector: { app: "nobody" } });
    await eventually(() => assert.ok(refused(`http://${address}/`) && refused("http://172.30.0.11:30080/")));
    patch({ selector: { app: "web" } });
    await eventually(() => assert.match(curl(`http://${address}/`), /^Hostname: web-/), 1000);
  });

  test("ports are renamed and go: the others stay, what is gone is refused", async () => {
    const http = { name: "plain", port: 80, targetPort: "http", nodePort: 30080 };
    patch({ ports: [http] });
    await eventually(() => assert.ok(refused(`http://${address}:9000/`)));
    assert.match(curl(`http://${address}/`), /^Hostname: web-/);
    const srv = run("dig", ["+short", "@10.96.0.10", "SRV", "_plain._tcp.web.default.svc.cluster.local"]).stdout;
    assert.match(srv, / 80 web\.default\.svc\.cluster\.local\.$/m);
  });

  test("ClusterIP, LoadBalancer, ExternalName and back", async () => {
    const names = () => run("dig", ["+short", "@10.96.0.10", "web.default.svc.cluster.local"]).stdout.trim();
    patch({ type: "ClusterIP" });
    await eventually(() => assert.ok(refused("http://172.30.0.11:30080/")));
    patch({ type: "LoadBalancer" });
    const ports = rowsOf(cluster.kubectl("get", "svc", "web"))[0]?.["PORT(S)"] ?? "";
    const nodePort = /^80:(\d+)\/TCP$/.exec(ports)?.[1];
    await eventually(() => assert.match(curl(`http://172.30.0.11:${nodePort}/`), /^Hostname: web-/));
    assert.match(curl(`http://${address}/`), /^Hostname: web-/);
    patch({ type: "ExternalName", externalName: "example.test", clusterIP: "", clusterIPs: null });
    await eventually(() => assert.match(names(), /^example\.test\.$/m));
    assert.notEqual(curlStatus(`http://172.30.0.11:${nodePort}/`, "-m", "1").code, 200);
    patch({ type: "NodePort", externalName: null });
    await eventually(() => assert.equal(names(), addressOf("web")));
    await eventually(() => assert.match(curl(`http://${addressOf("web")}/`), /^Hostname: web-/));
  });

  test("a removed Service leaves its node port refused and its name unknown", async () => {
    const nodePort = cluster.kubectl("get", "svc", "web", "-o=jsonpath={.spec.ports[0].nodePort}");
    assert.match(curl(`http://172.30.0.12:${nodePort}/`), /^Hostname: web-/);
    cluster.kubectl("delete", "svc", "web");
    await eventually(() => assert.ok(refused(`http://172.30.0.12:${nodePort}/`)), 1000);
    const answer = run("dig", ["@10.96.0.10", "web.default.svc.cluster.local"]).stdout;
    assert.match(answer, /status: NXDOMAIN/);
  });

  test("readiness decides who is in the Service, publishNotReadyAddresses who has a name", async () => {
    const readinessProbe = { exec: { command: ["test", "-e", "/tmp/ready"] }, periodSeconds: 1, failureThreshold: 1 };
    const headless = { clusterIP: "None", ports: [{ port: 8080 }] };
    apply(
      cluster,
      pod("late", { image: "fairlead/echo", readinessProbe }, { hostname: "me", subdomain: "late" }),
      service("late", { ...headless }),
      service("early", { ...headless, publishNotReadyAddresses: true, selector: { app: "late" } }),
    );
    const lookup = (name: string) =>
      run("dig", ["+short", "@10.96.0.10", `${name}.default.svc.cluster.local`]).stdout.trim();
    await eventually(() => assert.match(lookup("early"), /^10\.244\./));
    const address = lookup("early");
    assert.equal(lookup("late"), "");
    inPod("late", "touch", "/tmp/ready");
    await eventually(() => assert.equal(lookup("late"), address), 2000);
    assert.equal(lookup("me.late"), address);
    inPod("late", "rm", "/tmp/ready");
    await eventually(() => assert.equal(lookup("late"), ""), 2500);
    assert.equal(lookup("early"), address);
  });

  test("hand-made endpoints may not point at loopback or link-local addresses", () => {
    const slice = (ip: string) => ({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "inside", labels: { "kubernetes.io/service-name": "inside" } },
      addressType: "IPv4",
      endpoints: [{ addresses: [ip] }],
      ports: [{ port: 6443 }],
    });
    for (const ip of ["127.0.0.1", "169.254.169.254"]) {
      assert.throws(() => apply(cluster, slice(ip)), /may not be in the (loopback|link-local) range/);
    }
  });
});

/** Sends one datagram; gives the answer, or rejects after half a second. */
async function askUdp(address: string, port: number, text: string): Promise<string> {
  const socket = createSocket("udp4");
  try {
    return await new Promise<string>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("no answer")), 500);
      socket.on("error", reject);
      socket.on("message", (message) => {
        clearTimeout(late);
        resolve(message.toString());
      });
      socket.send(text, port, address);
    });
  } finally {
    socket.close();
  }
}
