import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { curl, curlMany, eventually, rowsOf, run, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";
import { startUpstream, type Upstream } from "../upstream.ts";
import { forms, manifestOf } from "./forms.ts";

for (const form of forms) {
  describe(`the document on network components, ${form} manifests`, { skip: whyNoCluster() }, () => {
    const manifest = manifestOf("001", form);
    let cluster: TestCluster;
    let upstream: Upstream;

    before(async () => {
      upstream = await startUpstream({
        "maps.googleapis.com": { a: ["192.0.2.10"], ttl: 300 },
        "other.example.com": { a: ["192.0.2.20"], ttl: 300 },
      });
      // Port 80 of every address of this machine stays free for the outside servers of the document.
      cluster = await startCluster({ args: ["--http-port", "8080", "--https-port", "8443"] });
      cluster.kubectl("apply", "-f", manifest("01-kubia-deployment"));
      cluster.kubectl("rollout", "status", "deployment/kubia", "--timeout=30s");
    });
    after(async () => {
      await cluster?.purge();
      await upstream?.stop();
    });

    const clusterIP = (name: string) => cluster.kubectl("get", "svc", name, "-o=jsonpath={.spec.clusterIP}");
    const aPod = () => cluster.kubectl("get", "pod", "-l", "app=kubia", "-o=jsonpath={.items[0].metadata.name}");
    const hostnames = (url: string, times = 20) =>
      new Set([...curlMany(url, times).matchAll(/^Hostname: (.*)$/gm)].map(([, name]) => name));

    test("pods reach each other by the Service's name, not by pod addresses", async () => {
      cluster.kubectl("apply", "-f", manifest("02-kubia-service"));
      for (const name of ["kubia", "kubia.default"]) {
        await eventually(() => {
          const answer = cluster.kubectl("exec", aPod(), "--", "curl", "-s", "--max-time", "5", `http://${name}`);
          assert.match(answer, /^Hostname: kubia-/);
        });
      }
    });

    test("a Service with two ports keeps both apart", async () => {
      cluster.kubectl("apply", "-f", manifest("03-kubia-multi-port"));
      const [row] = rowsOf(cluster.kubectl("get", "svc", "kubia"));
      assert.equal(row?.["PORT(S)"], "80/TCP,443/TCP");
      await eventually(() => assert.equal(hostnames(`http://${clusterIP("kubia")}`, 30).size, 3));
    });

    test("ports by name: the pods' numbers change and the Service does not", async () => {
      cluster.kubectl("apply", "-f", manifest("04-kubia-named-ports"));
      const address = clusterIP("kubia-named");
      const version = cluster.kubectl("get", "svc", "kubia-named", "-o=jsonpath={.metadata.resourceVersion}");
      await eventually(() => assert.match(curl(`http://${address}:80`), /^Hostname: kubia$/m));
      assert.match(curl(`http://${address}:443`), /^Hostname: kubia$/m);
      const pod = JSON.parse(cluster.kubectl("get", "pod", "kubia", "-o", "json")) as PodText;
      cluster.kubectl("delete", "pod", "kubia");
      const ports = [
        { name: "http", containerPort: 9090 },
        { name: "https", containerPort: 9443 },
      ];
      const { name, labels } = pod.metadata;
      const moved = {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, labels },
        spec: { containers: [{ name: "kubia", image: "fairlead/echo", ports }] },
      };
      cluster.kubectlWith(JSON.stringify(moved), "create", "-f", "-");
      cluster.kubectl("wait", "--for=condition=Ready", "pod/kubia", "--timeout=30s");
      await eventually(() => assert.match(curl(`http://${address}:80`), /^Hostname: kubia$/m));
      const slices = cluster.kubectl(
        "get",
        "endpointslices",
        "-l",
        "kubernetes.io/service-name=kubia-named",
        "-o",
        "yaml",
      );
      assert.match(slices, /port: 9090/);
      assert.equal(cluster.kubectl("get", "svc", "kubia-named", "-o=jsonpath={.metadata.resourceVersion}"), version);
      cluster.kubectl("delete", "-f", manifest("04-kubia-named-ports"));
    });

    test("NodePort 30123 on every node", async () => {
      cluster.kubectl("apply", "-f", manifest("05-kubia-nodeport"));
      const [row] = rowsOf(cluster.kubectl("get", "svc", "kubia-nodeport"));
      assert.equal(row?.["PORT(S)"], "80:30123/TCP");
      for (const { address } of cluster.reach.nodes) {
        await eventually(() => assert.equal(hostnames(`http://${address}:30123`, 30).size, 3));
      }
    });

    test("LoadBalancer without a provider: <pending>, told by an event; reached by cluster IP and node port all the same", async () => {
      cluster.kubectl("apply", "-f", manifest("06-kubia-loadbalancer"));
      const [row] = rowsOf(cluster.kubectl("get", "svc", "kubia-loadbalancer"));
      assert.equal(row?.["TYPE"], "LoadBalancer");
      assert.equal(row?.["EXTERNAL-IP"], "<pending>");
      const nodePort = /^80:(3\d{4})\/TCP$/.exec(row?.["PORT(S)"] ?? "")?.[1];
      await eventually(() =>
        assert.equal(hostnames(`http://${cluster.reach.nodes[0]?.address}:${nodePort}`, 30).size, 3),
      );
      assert.equal(hostnames(`http://${clusterIP("kubia-loadbalancer")}`, 30).size, 3);
      await eventually(() => assert.match(cluster.kubectl("describe", "svc", "kubia-loadbalancer"), /NoAddressPool/));
    });

    test("Endpoints follow the pods: deleted, created, relabelled, scaled", async () => {
      const addresses = () => {
        const text = cluster.kubectl("get", "endpoints", "kubia", "-o=jsonpath={.subsets[0].addresses[*].ip}");
        return text === "" ? [] : text.split(" ").sort();
      };
      const pods = (...selector: string[]) =>
        cluster
          .kubectl("get", "pod", ...selector, "-o=jsonpath={.items[*].status.podIP}")
          .split(" ")
          .sort();
      await eventually(() => assert.deepEqual(addresses(), pods("-l", "app=kubia")));
      const relabelled = aPod();
      const ip = cluster.kubectl("get", "pod", relabelled, "-o=jsonpath={.status.podIP}");
      cluster.kubectl("label", "pod", relabelled, "app=other", "--overwrite");
      await eventually(() => assert.ok(!addresses().includes(ip)));
      cluster.kubectl("delete", "pod", relabelled, "--now");
      cluster.kubectl("scale", "deployment/kubia", "--replicas=2");
      await eventually(() => assert.equal(addresses().length, 2));
      cluster.kubectl("scale", "deployment/kubia", "--replicas=3");
      await eventually(() => assert.equal(addresses().length, 3));
    });

    test("a Service without selector leads to the outside addresses of hand-made Endpoints", async () => {
      // The two addresses of the document stand on this sandbox's loopback, each with a server of its own.
      const servers = ["11.11.11.11", "22.22.22.22"].map((address) => {
        run("ip", ["addr", "add", `${address}/32`, "dev", "lo"]);
        const program = `require("node:http").createServer((_, r) => r.end("${address}\\n")).listen(80, "${address}")`;
        return spawn(process.execPath, ["-e", program], { stdio: "ignore" });
      });
      try {
        cluster.kubectl("apply", "-f", manifest("07-external-endpoints"));
        if (form === "legacy") {
          const [row] = rowsOf(cluster.kubectl("get", "endpoints", "google-map"));
          assert.equal(row?.["ENDPOINTS"], "11.11.11.11:80,22.22.22.22:80");
        }
        const listed = ["get", "endpointslices", "-l", "kubernetes.io/service-name=google-map"];
        await eventually(() => {
          const [row] = rowsOf(cluster.kubectl(...listed));
          assert.equal(row?.["ENDPOINTS"], "11.11.11.11,22.22.22.22");
        });
        const address = clusterIP("google-map");
        await eventually(() => {
          const asked = cluster.kubectl(
            "exec",
            aPod(),
            "--",
            "sh",
            "-c",
            `for i in $(seq 20); do curl -s -m 2 http://google-map; done`,
          );
          assert.deepEqual(new Set(asked.trim().split("\n")), new Set(["11.11.11.11", "22.22.22.22"]));
        });
        assert.match(curl(`http://${address}`), /^(11\.11\.11\.11|22\.22\.22\.22)\n$/);
      } finally {
        for (const server of servers) server.kill("SIGKILL");
      }
    });

    test("ExternalName: the alias changes without touching the pods", async () => {
      // The Endpoints go with their Service, as they do upstream; kubectl may find them gone.
      cluster.kubectl("delete", "-f", manifest("07-external-endpoints"), "--ignore-not-found");
      cluster.kubectl("apply", "-f", manifest("10-external-name"));
      const pod = aPod();
      const asked = () => cluster.kubectl("exec", pod, "--", "getent", "hosts", "google-map").split(/\s+/)[0];
      await eventually(() => assert.equal(asked(), "192.0.2.10"));
      cluster.kubectl("patch", "svc", "google-map", "-p", '{"spec":{"externalName":"other.example.com"}}');
      await eventually(() => assert.equal(asked(), "192.0.2.20"));
      assert.equal(aPod(), pod);
    });

    test("an Ingress in front of the Service", async () => {
      cluster.kubectl("apply", "-f", manifest("08-kubia-ingress-service"), "-f", manifest("09-kubia-ingress"));
      const asked = () => curl("http://kubia.example.com:8080/", "--connect-to", "::127.0.0.1:");
      await eventually(() => assert.match(asked(), /^Hostname: kubia-/));
      const text = cluster.kubectl("describe", "ingress", "kubia");
      assert.match(text, /kubia\.example\.com/);
      assert.match(text, /kubia-nodeport:80 \(10\.244\.[^)]*:8080,10\.244\.[^)]*:8080,10\.244\.[^)]*:8080\)/);
    });
  });
}

interface PodText {
  metadata: { name: string; labels: Record<string, string> };
}
