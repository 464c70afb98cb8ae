import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  curl,
  curlMany,
  curlStatus,
  eventually,
  run,
  startCluster,
  whyNoCluster,
  type TestCluster,
  rowsOf,
} from "../cluster.ts";

const metrics = "http://172.30.0.11:10249";
const service = `
apiVersion: v1
kind: Service
metadata: { name: lb }
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080 }]
---
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  containers: [{ name: web, image: fairlead/echo, ports: [{ containerPort: 8080 }] }]
`;

/** The proxies of a cluster of `fairlead up`, as its administrator sees and changes them. */
describe("the configuration of the service proxy in a cluster", { skip: whyNoCluster() }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ args: ["--nodes", "2", "--load-balancer-cidr", "172.31.9.0/28"] });
  });
  after(() => cluster?.purge());

  const proxyConfig = () => cluster.kubectl("get", "configmap", "kube-proxy", "-n", "kube-system", "-o", "json");
  const eventsOf = (reason: string) =>
    cluster.kubectl("get", "events", "-n", "kube-system", "--field-selector", `reason=${reason}`);

  function change(from: string | RegExp, to: string): void {
    const map = JSON.parse(proxyConfig());
    const before = map.data["config.conf"] as string;
    map.data["config.conf"] = before.replace(from, to);
    assert.notEqual(map.data["config.conf"], before);
    cluster.kubectlWith(JSON.stringify(map), "replace", "-f", "-");
  }

  test("a load balancer finds out which nodes have an endpoint", async () => {
    cluster.kubectlWith(service, "apply", "-f", "-");
    cluster.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s");
    const node = cluster.kubectl("get", "pod", "web", "-o", "jsonpath={.spec.nodeName}");
    const port = cluster.kubectl("get", "service", "lb", "-o", "jsonpath={.spec.healthCheckNodePort}");
    for (const [name, address] of [
      ["node-1", "172.30.0.11"],
      ["node-2", "172.30.0.12"],
    ] as const) {
      await eventually(() => {
        const { code, body } = curlStatus(`http://${address}:${port}/`);
        assert.equal(code, name === node ? 200 : 503);
        assert.equal(JSON.parse(body).localEndpoints, name === node ? 1 : 0);
      });
      assert.equal(curlStatus(`http://${address}:10256/healthz`).code, 200);
    }
  });

  test("a change of the ConfigMap is in use at once, and told by an Event", async () => {
    assert.equal(curlStatus(`${metrics}/metrics`).code, 0, "on the node alone, as upstream");
    change("metricsBindAddress: 127.0.0.1:10249", "metricsBindAddress: 0.0.0.0:10249");
    await eventually(() => assert.equal(curl(`${metrics}/proxyMode`), "nftables"));
    cluster.kubectl("expose", "pod", "web", "--name=later", "--port=80", "--target-port=8080");
    await eventually(() =>
      assert.match(
        curl(`${metrics}/metrics`),
        /^kubeproxy_network_programming_duration_seconds_count\{ip_family="IPv4"\} [1-9]/m,
      ),
    );
    assert.match(eventsOf("ProxyConfigurationApplied"), /configmap\/kube-proxy .* mode nftables/);
    change("healthzBindAddress: 0.0.0.0", "healthzBindAddress: 192.0.2.1");
    await eventually(() =>
      assert.match(
        eventsOf("ProxyConfigurationApplied"),
        /mode nftables; healthzBindAddress cannot be had on node node-1: .*EADDRNOTAVAIL.* 192\.0\.2\.1/,
      ),
    );
  });

  test("what cannot be used is refused by an Event with the reason, and everything stays", async () => {
    change('mode: ""', "mode: nftabels");
    await eventually(() =>
      assert.match(
        eventsOf("InvalidProxyConfiguration"),
        /config\.conf:4: mode must be one of .*did you mean nftables/,
      ),
    );
    change("mode: nftabels", "mode: userspace");
    await eventually(() =>
      assert.match(eventsOf("ProxyConfigurationFailed"), /userspace: it cannot listen inside a network namespace/),
    );
    assert.equal(curl(`${metrics}/proxyMode`), "nftables");
    const address = cluster.kubectl("get", "service", "lb", "-o", "jsonpath={.spec.clusterIP}");
    assert.equal(curlStatus(`http://${address}/`).code, 200);
  });

  test("clients stay in their zone, and the zone is that of the Node's label", async () => {
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "near" },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: "near" } },
        template: {
          metadata: { labels: { app: "near" } },
          spec: { containers: [{ name: "web", image: "fairlead/echo", ports: [{ containerPort: 8080 }] }] },
        },
      },
    };
    cluster.kubectlWith(JSON.stringify(deployment), "apply", "-f", "-");
    cluster.kubectl("expose", "deployment", "near", "--port=80", "--target-port=8080", "--type=NodePort");
    cluster.kubectl("rollout", "status", "deployment/near", "--timeout=60s");
    const port = cluster.kubectl("get", "service", "near", "-o", "jsonpath={.spec.ports[0].nodePort}");
    const names = (node: string) => {
      const answers = curlMany(`http://${node}:${port}/`, 20).matchAll(/^Hostname: (\S+)$/gm);
      return [...new Set([...answers].map(([, name]) => name))];
    };
    const podOn = (node: string) =>
      rowsOf(cluster.kubectl("get", "pods", "-l", "app=near", "-o", "wide")).find(({ NODE }) => NODE === node)?.[
        "NAME"
      ];
    await eventually(() => assert.equal(names("172.30.0.11").length, 2));
    cluster.kubectl("patch", "service", "near", "-p", '{"spec":{"trafficDistribution":"PreferSameNode"}}');
    await eventually(() => assert.deepEqual(names("172.30.0.11"), [podOn("node-1")]));
    cluster.kubectl("patch", "service", "near", "-p", '{"spec":{"trafficDistribution":"PreferClose"}}');
    await eventually(() => assert.equal(names("172.30.0.11").length, 2));
    cluster.kubectl("label", "node", "node-1", "topology.kubernetes.io/zone=east");
    cluster.kubectl("label", "node", "node-2", "topology.kubernetes.io/zone=west");
    await eventually(() => assert.deepEqual(names("172.30.0.12"), [podOn("node-2")]));
    cluster.kubectl("patch", "service", "near", "-p", '{"spec":{"trafficDistribution":null}}');
    await eventually(() => assert.equal(names("172.30.0.12").length, 2));
    cluster.kubectl("annotate", "service", "near", "service.kubernetes.io/topology-mode=Auto");
    await eventually(() => assert.deepEqual(names("172.30.0.12"), [podOn("node-2")]));
    assert.match(cluster.kubectl("describe", "service", "near"), /TopologyAwareHintsEnabled/);
  });

  test("rules that another program removes are made again, and an Event on the node says so", async () => {
    const [, netns = ""] = /^(fl-\S+-node-1)\b/m.exec(run("ip", ["netns", "list"]).stdout) ?? [];
    assert.equal(run("ip", ["netns", "exec", netns, "nft", "delete", "table", "ip", "kube-proxy"]).status, 0);
    await eventually(() => {
      assert.match(cluster.kubectl("get", "events"), /node\/node-1 .*another program changed the nftables rules/);
      assert.equal(run("ip", ["netns", "exec", netns, "nft", "list", "table", "ip", "kube-proxy"]).status, 0);
    }, 30_000);
  });
});
