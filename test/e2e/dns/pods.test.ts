import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { findProgram } from "#roles/packages.ts";
import { eventually, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";
import { startUpstream, type Upstream } from "../upstream.ts";
import { apply, pod, service, shell } from "../workloads/objects.ts";

const idle = shell("exec sleep 1000");
const zone = "cluster.local";
const http = [{ name: "http", port: 80 }];

/** Pods that ask as programs do: `dig` for what a server says, `getent` for what the C library makes of it. */
describe("names inside pods", { skip: whyNoCluster() || (findProgram("dig") === undefined && "needs dig") }, () => {
  let cluster: TestCluster;
  let upstream: Upstream;

  before(async () => {
    upstream = await startUpstream({
      "www.example.com": { cname: "edge.example.net", ttl: 300 },
      "edge.example.net": { a: ["192.0.2.10"], ttl: 60 },
      "foo.example.com": { a: ["192.0.2.20"], ttl: 300 },
      "bar.example.com": { a: ["192.0.2.21"], ttl: 300 },
    });
    cluster = await startCluster({ args: ["--http-port", "8080", "--https-port", "8443"] });
    cluster.kubectl("create", "namespace", "other");
    apply(
      cluster,
      service("web", { ports: http }),
      service("1st", { ports: [{ port: 80 }] }),
      service("peers", { clusterIP: "None", ports: http }),
      service("silent-peers", { clusterIP: "None", ports: http }),
      service("early-peers", { clusterIP: "None", publishNotReadyAddresses: true, ports: http }),
      labelled("peer-a", "peers", { hostname: "first", subdomain: "peers" }),
      labelled("peer-b", "peers", { subdomain: "peers" }),
      unready("silent", "silent-peers"),
      unready("early", "early-peers"),
      pod("asks", idle, {
        hostname: "querier",
        subdomain: "peers",
        hostAliases: [{ ip: "192.0.2.99", hostnames: ["foo.remote", "bar.remote"] }],
      }),
      pod("on-host", idle, { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" }),
      pod("on-host-default", idle, { hostNetwork: true }),
      pod("as-machine", idle, { dnsPolicy: "Default" }),
      pod("own", idle, {
        dnsPolicy: "None",
        dnsConfig: {
          nameservers: ["10.96.0.10"],
          searches: ["other.svc.cluster.local", "example.com"],
          options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
        },
      }),
      pod("added", idle, {
        dnsConfig: { nameservers: ["192.0.2.53"], searches: ["example.com"], options: [{ name: "ndots", value: "3" }] },
      }),
      pod("long", idle, {
        dnsPolicy: "None",
        dnsConfig: { nameservers: ["10.96.0.10"], searches: [...longSearches, "example.com"] },
      }),
    );
    cluster.kubectlWith(JSON.stringify(service("far", { ports: http })), "apply", "-n", "other", "-f", "-");
    const ready = ["peer-a", "peer-b", "asks", "on-host", "on-host-default", "as-machine", "own", "added", "long"];
    cluster.kubectl("wait", "--for=condition=Ready", "--timeout=60s", ...ready.map((name) => `pod/${name}`));
    await eventually(() => assert.equal(short("peers.default.svc.cluster.local").length, 2));
  });
  after(async () => {
    await cluster?.purge();
    await upstream?.stop();
  });

  const inPod = (name: string, ...command: string[]) => cluster.kubectl("exec", name, "--", ...command);
  const linesOf = (text: string) => text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  const digIn = (name: string, ...args: string[]) => inPod(name, "dig", "+tries=2", "+time=2", ...args);
  const short = (...args: string[]) => linesOf(digIn("asks", "+short", ...args)).sort();
  const statusOf = (...args: string[]) => /status: (\w+)/.exec(digIn("asks", ...args))?.[1];
  const getent = (from: string, name: string, database = "ahostsv4") =>
    linesOf(cluster.tryKubectl("exec", from, "--", "getent", database, name).stdout).map((line) => line.split(/\s+/));
  const first = (from: string, name: string) => getent(from, name)[0]?.[0];
  const field = (kind: string, name: string, path: string, namespace = "default") =>
    cluster.kubectl("get", kind, name, "-n", namespace, `-o=jsonpath={${path}}`);
  const clusterIp = (name: string, namespace?: string) => field("service", name, ".spec.clusterIP", namespace);
  const podIp = (name: string) => field("pod", name, ".status.podIP");
  const resolvOf = (name: string) => linesOf(inPod(name, "cat", "/etc/resolv.conf"));

  test("the API server is found under each of its names, over UDP and TCP", () => {
    for (const transport of ["+notcp", "+tcp"]) {
      assert.deepEqual(short(transport, "+search", "kubernetes.default"), ["10.96.0.1"]);
      assert.deepEqual(short(transport, `kubernetes.default.svc.${zone}`), ["10.96.0.1"]);
    }
    for (const name of [
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      `kubernetes.default.svc.${zone}.`,
    ])
      assert.equal(first("asks", name), "10.96.0.1", name);
    assert.deepEqual(short(`_https._tcp.kubernetes.default.svc.${zone}`, "SRV"), [
      `0 100 443 kubernetes.default.svc.${zone}.`,
    ]);
  });

  test("a Service has its address, a record for its port and a name for its address", () => {
    const ip = clusterIp("web");
    assert.deepEqual(short(`web.default.svc.${zone}`), [ip]);
    assert.deepEqual(short(`web.default.svc.${zone}`, "AAAA"), []);
    assert.equal(statusOf(`web.default.svc.${zone}`, "AAAA"), "NOERROR");
    assert.deepEqual(short(`_http._tcp.web.default.svc.${zone}`, "SRV"), [`0 100 80 web.default.svc.${zone}.`]);
    assert.deepEqual(short("-x", ip), [`web.default.svc.${zone}.`]);
    assert.deepEqual(getent("asks", ip, "hosts"), [[ip, `web.default.svc.${zone}`]]);
    assert.equal(first("asks", "1st"), clusterIp("1st"), "a name that begins with a digit");
  });

  test("names in part are completed by the search path", () => {
    const here = clusterIp("web");
    for (const name of ["web", "web.default", "web.default.svc"]) {
      assert.equal(first("asks", name), here, name);
      assert.deepEqual(short("+search", name), [here], name);
    }
    const far = clusterIp("far", "other");
    assert.equal(first("asks", "far"), undefined);
    for (const name of ["far.other", "far.other.svc", `far.other.svc.${zone}`]) assert.equal(first("asks", name), far);
  });

  test("a headless Service is its pods, by hostname and subdomain, by address and in reverse", () => {
    const [a, b] = [podIp("peer-a"), podIp("peer-b")];
    const dashed = b.replaceAll(".", "-");
    const below = (label: string) => `${label}.peers.default.svc.${zone}`;
    assert.deepEqual(short(`peers.default.svc.${zone}`), [a, b].sort());
    assert.deepEqual(
      getent("asks", "peers")
        .flatMap(([ip, kind]) => (kind === "STREAM" ? [ip] : []))
        .sort(),
      [a, b].sort(),
    );
    assert.deepEqual(short(below("first")), [a]);
    assert.equal(first("asks", "first.peers"), a);
    assert.deepEqual(short(below(dashed)), [b]);
    assert.deepEqual(short(below("peer-b")), []);
    assert.deepEqual(
      short(`_http._tcp.peers.default.svc.${zone}`, "SRV"),
      [`0 50 80 ${below("first")}.`, `0 50 80 ${below(dashed)}.`].sort(),
    );
    assert.deepEqual(short("-x", a), [`${below("first")}.`]);
    assert.deepEqual(short("-x", b), [`${below(dashed)}.`]);
  });

  test("pods that are not ready have no names, unless the Service publishes them", async () => {
    await eventually(() => assert.deepEqual(short(`early-peers.default.svc.${zone}`), [podIp("early")]));
    assert.equal(statusOf(`silent-peers.default.svc.${zone}`), "NXDOMAIN");
  });

  test("an ExternalName changes its target, becomes a Service with an address and an ExternalName again", async () => {
    const name = `outward.default.svc.${zone}`;
    const external = (externalName: string) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "outward" },
      spec: { type: "ExternalName", externalName },
    });
    apply(cluster, external("foo.example.com"));
    await eventually(() => assert.deepEqual(short(name, "CNAME"), ["foo.example.com."]));
    assert.deepEqual(short(name), ["192.0.2.20", "foo.example.com."]);
    assert.equal(first("asks", "outward"), "192.0.2.20");

    cluster.kubectl("patch", "service", "outward", "-p", '{"spec":{"externalName":"bar.example.com"}}');
    await eventually(() => assert.deepEqual(short(name, "CNAME"), ["bar.example.com."]));
    assert.equal(first("asks", "outward"), "192.0.2.21");

    const toCluster = { spec: { type: "ClusterIP", externalName: null, ports: http } };
    cluster.kubectl("patch", "service", "outward", "--type=merge", "-p", JSON.stringify(toCluster));
    const ip = clusterIp("outward");
    assert.match(ip, /^10\.(9[6-9]|10\d|11[01])\./);
    await eventually(() => assert.deepEqual(short(name), [ip]));
    assert.deepEqual(short(name, "CNAME"), []);
    assert.deepEqual(short("-x", ip), [`${name}.`]);

    const back = { spec: { type: "ExternalName", externalName: "foo.example.com", clusterIP: null, clusterIPs: null } };
    cluster.kubectl("patch", "service", "outward", "--type=merge", "-p", JSON.stringify(back));
    await eventually(() => assert.deepEqual(short(name), ["192.0.2.20", "foo.example.com."]));
    assert.equal(statusOf("-x", ip), "NXDOMAIN");
    cluster.kubectl("delete", "service", "outward");
    await eventually(() => assert.equal(statusOf(name), "NXDOMAIN"));
  });

  test("/etc/hosts has the pod under its own names and the aliases of its spec", () => {
    const hosts = inPod("asks", "cat", "/etc/hosts");
    const own = `querier.peers.default.svc.${zone}`;
    assert.match(hosts, new RegExp(`^${podIp("asks")}\\s+${own}\\s+querier$`, "m"));
    assert.match(hosts, /^192\.0\.2\.99\s+foo\.remote\s+bar\.remote$/m);
    assert.match(hosts, /^127\.0\.0\.1\s+localhost$/m);
    assert.equal(first("asks", "querier"), podIp("asks"));
    assert.equal(first("asks", own), podIp("asks"));
    assert.equal(first("asks", "bar.remote"), "192.0.2.99");
    assert.equal(inPod("asks", "hostname", "-f").trim(), own);
  });

  test("names from outside come through the forwarder, aliases and all; what nobody knows does not exist", () => {
    assert.deepEqual(short("www.example.com"), ["192.0.2.10", "edge.example.net."]);
    assert.deepEqual(short("+tcp", "foo.example.com"), ["192.0.2.20"]);
    assert.equal(first("asks", "www.example.com"), "192.0.2.10");
    assert.equal(statusOf("missing.example.com"), "NXDOMAIN");
    assert.equal(first("asks", "missing.example.com"), undefined);
    assert.deepEqual(
      getent("asks", "www.example.com", "ahostsv6").filter(([ip]) => !ip?.startsWith("::ffff:")),
      [],
    );
  });

  test("resolv.conf follows dnsPolicy, with the pod's own network and with the node's", () => {
    const usual = ["nameserver 10.96.0.10", `search default.svc.${zone} svc.${zone} ${zone}`, "options ndots:5"];
    for (const name of ["asks", "on-host"]) assert.deepEqual(resolvOf(name).sort(), [...usual].sort(), name);
    for (const name of ["as-machine", "on-host-default"]) assert.deepEqual(resolvOf(name), ["nameserver 127.0.0.53"]);
    assert.equal(first("on-host", "web"), clusterIp("web"));
    assert.deepEqual(linesOf(digIn("on-host", "+short", "+search", "kubernetes.default")), ["10.96.0.1"]);
    assert.equal(first("on-host", "foo.example.com"), "192.0.2.20");
  });

  test("dnsConfig alone, or with what the policy gives", () => {
    assert.deepEqual(resolvOf("own").sort(), [
      "nameserver 10.96.0.10",
      "options ndots:2 edns0",
      "search other.svc.cluster.local example.com",
    ]);
    assert.equal(first("own", "far"), clusterIp("far", "other"));
    assert.equal(first("own", "bar"), "192.0.2.21");
    assert.equal(first("own", "web"), undefined);
    assert.deepEqual(resolvOf("added").sort(), [
      "nameserver 10.96.0.10",
      "nameserver 192.0.2.53",
      "options ndots:3",
      `search default.svc.${zone} svc.${zone} ${zone} example.com`,
    ]);
    assert.equal(first("added", "bar"), "192.0.2.21");
  });

  test("a search path of many and long names is kept whole and used to its end", () => {
    const search = resolvOf("long").find((line) => line.startsWith("search ")) ?? "";
    assert.equal(search, `search ${[...longSearches, "example.com"].join(" ")}`);
    assert.ok(search.length > 256);
    assert.equal(first("long", "foo"), "192.0.2.20");
  });

  test("the variables of Services are those of the moment the container began", async () => {
    const env = (name: string) => linesOf(inPod(name, "sh", "-c", "tr '\\0' '\\n' </proc/1/environ"));
    const of = (name: string, prefix: string) =>
      env(name)
        .filter((line) => line.startsWith(prefix))
        .sort();
    apply(cluster, pod("began-before", idle));
    cluster.kubectl("wait", "--for=condition=Ready", "pod/began-before", "--timeout=30s");
    apply(
      cluster,
      service("late-one", {
        ports: [
          { name: "http", port: 8080 },
          { name: "udp-x", port: 53, protocol: "UDP" },
        ],
      }),
    );
    apply(
      cluster,
      pod("began-after", {
        ...idle,
        env: [
          { name: "WEB_SERVICE_HOST", value: "mine" },
          { name: "SEEN", value: "$(LATE_ONE_SERVICE_PORT)" },
        ],
      }),
      pod("unlinked", idle, { enableServiceLinks: false }),
    );
    cluster.kubectl("wait", "--for=condition=Ready", "pod/began-after", "pod/unlinked", "--timeout=30s");
    const ip = clusterIp("late-one");
    assert.deepEqual(of("began-before", "LATE_ONE_"), []);
    assert.deepEqual(
      of("began-after", "LATE_ONE_"),
      [
        `LATE_ONE_SERVICE_HOST=${ip}`,
        "LATE_ONE_SERVICE_PORT=8080",
        "LATE_ONE_SERVICE_PORT_HTTP=8080",
        "LATE_ONE_SERVICE_PORT_UDP_X=53",
        `LATE_ONE_PORT=tcp://${ip}:8080`,
        ...["8080_TCP", "53_UDP"].flatMap((port) => {
          const [number = "", protocol = ""] = port.toLowerCase().split("_");
          const base = `LATE_ONE_PORT_${port}`;
          return [
            `${base}=${protocol}://${ip}:${number}`,
            `${base}_PROTO=${protocol}`,
            `${base}_PORT=${number}`,
            `${base}_ADDR=${ip}`,
          ];
        }),
      ].sort(),
    );
    assert.deepEqual(of("began-after", "WEB_SERVICE_HOST"), ["WEB_SERVICE_HOST=mine"], "its own come first");
    assert.deepEqual(of("began-after", "SEEN"), ["SEEN=8080"]);
    assert.deepEqual(of("began-after", "PEERS_"), [], "headless Services have none");
    assert.deepEqual(of("unlinked", "LATE_ONE_"), []);
    assert.deepEqual(of("unlinked", "KUBERNETES_SERVICE_HOST"), ["KUBERNETES_SERVICE_HOST=10.96.0.1"]);

    cluster.kubectl("delete", "service", "late-one");
    assert.notDeepEqual(of("began-after", "LATE_ONE_"), [], "a running container keeps them");
  });
});

/** More than six, and longer together than old C libraries could read. */
const longSearches = Array.from({ length: 10 }, (_, index) => `${String.fromCharCode(97 + index).repeat(40)}.test`);

function labelled(name: string, app: string, spec: Record<string, unknown>): Record<string, unknown> {
  return { ...pod(name, idle, spec), metadata: { name, labels: { app } } };
}

function unready(name: string, app: string): Record<string, unknown> {
  const readinessProbe = { exec: { command: ["false"] }, periodSeconds: 1 };
  return { ...pod(name, { ...idle, readinessProbe }), metadata: { name, labels: { app } } };
}
