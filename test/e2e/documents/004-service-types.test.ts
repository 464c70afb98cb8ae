import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { curl, curlMany, eventually, rowsOf, run, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";
import { startUpstream, type Upstream } from "../upstream.ts";
import { forms, manifestOf } from "./forms.ts";

for (const form of forms) {
  describe(`the document on Service types, ${form} manifests`, { skip: whyNoCluster() }, () => {
    const manifest = manifestOf("004", form);
    let cluster: TestCluster;
    let upstream: Upstream;
    /** Pod address by the text of its index page. */
    const pages = new Map<string, string>();

    before(async () => {
      upstream = await startUpstream({
        "www.baidu.com": { cname: "www.a.shifen.com", ttl: 300 },
        "www.a.shifen.com": { a: ["39.156.66.18", "39.156.66.14"], ttl: 300 },
      });
      cluster = await startCluster();
      cluster.kubectl("create", "-f", manifest("01-dev-namespace"));
    });
    after(async () => {
      await cluster?.purge();
      await upstream?.stop();
    });

    test("a Deployment gives three running pods with addresses of their own, spread over nodes", async () => {
      assert.equal(
        cluster.kubectl("create", "-f", manifest("02-deployment")),
        "deployment.apps/pc-deployment created\n",
      );
      cluster.kubectl("rollout", "status", "deployment/pc-deployment", "-n", "dev", "--timeout=30s");
      const [deployment] = rowsOf(cluster.kubectl("get", "deploy", "-n", "dev", "-o", "wide"));
      const { AGE: _, ...columns } = deployment ?? {};
      assert.deepEqual(columns, {
        NAME: "pc-deployment",
        READY: "3/3",
        "UP-TO-DATE": "3",
        AVAILABLE: "3",
        CONTAINERS: "nginx",
        IMAGES: "nginx:1.17.1",
        SELECTOR: "app=nginx-pod",
      });
      const pods = rowsOf(cluster.kubectl("get", "pod", "-n", "dev", "-o", "wide", "--show-labels"));
      assert.equal(pods.length, 3);
      for (const pod of pods) {
        assert.match(pod["NAME"] ?? "", /^pc-deployment-[a-z0-9]{6,10}-[a-z0-9]{5}$/);
        assert.equal(pod["READY"], "1/1");
        assert.equal(pod["STATUS"], "Running");
        assert.match(pod["IP"] ?? "", /^10\.244\.[123]\.\d+$/);
        assert.match(pod["LABELS"] ?? "", /app=nginx-pod/);
      }
      assert.equal(new Set(pods.map((pod) => pod["IP"])).size, 3);
      assert.equal(new Set(pods.map((pod) => pod["NODE"])).size, 3);
    });

    test("exec -it writes a file in one pod only; each pod answers with its own page", () => {
      for (const pod of rowsOf(cluster.kubectl("get", "pod", "-n", "dev", "-o", "wide"))) {
        const [name = "", ip = "", node = ""] = [pod["NAME"], pod["IP"], pod["NODE"]];
        const page = `${node}: ${ip}`;
        const shell = `kubectl exec -it ${name} -n dev -- /bin/sh`;
        const typed = `echo "${page}" > /usr/share/nginx/html/index.html\nexit\n`;
        // `script` gives kubectl the terminal that -it asks for.
        const outcome = run("script", ["-qec", shell, "/dev/null"], { env: cluster.env, input: typed });
        assert.equal(outcome.status, 0, outcome.stdout + outcome.stderr);
        pages.set(page, ip);
      }
      assert.equal(pages.size, 3);
      for (const [page, ip] of pages) assert.equal(curl(`http://${ip}`), `${page}\n`);
    });

    test("ClusterIP: a chosen address, the document's columns, and requests that go round the pods", async () => {
      assert.equal(
        cluster.kubectl("create", "-f", manifest("03-service-clusterip")),
        "service/service-clusterip created\n",
      );
      const [service] = rowsOf(cluster.kubectl("get", "svc", "-n", "dev", "-o", "wide"));
      const { AGE: _, ...columns } = service ?? {};
      assert.deepEqual(columns, {
        NAME: "service-clusterip",
        TYPE: "ClusterIP",
        "CLUSTER-IP": "10.98.98.98",
        "EXTERNAL-IP": "<none>",
        "PORT(S)": "80/TCP",
        SELECTOR: "app=nginx-pod",
      });
      await eventually(() => assert.deepEqual(seen("http://10.98.98.98", 30), new Set(pages.keys())));
    });

    test("describe svc shows the document's lines and all three endpoints", () => {
      const text = cluster.kubectl("describe", "svc", "service-clusterip", "-n", "dev");
      for (const line of [
        /^Name: +service-clusterip$/m,
        /^Namespace: +dev$/m,
        /^Labels: +<none>$/m,
        /^Annotations: +<none>$/m,
        /^Selector: +app=nginx-pod$/m,
        /^Type: +ClusterIP$/m,
        /^IP: +10\.98\.98\.98$/m,
        /^Port: +<unset> +80\/TCP$/m,
        /^TargetPort: +80\/TCP$/m,
        /^Session Affinity: +None$/m,
        /^Events: +<none>$/m,
      ]) {
        assert.match(text, line);
      }
      const endpoints = /^Endpoints: +(.*)$/m.exec(text)?.[1]?.split(",") ?? [];
      assert.deepEqual(endpoints.sort(), [...pages.values()].map((ip) => `${ip}:80`).sort());
      const [row] = rowsOf(cluster.kubectl("get", "endpoints", "service-clusterip", "-n", "dev"));
      assert.deepEqual(row?.["ENDPOINTS"]?.split(",").sort(), [...pages.values()].map((ip) => `${ip}:80`).sort());
    });

    test("sessionAffinity ClientIP keeps a client with one pod, None lets it go round again", async () => {
      const patch = (value: string) =>
        cluster.kubectl(
          "patch",
          "svc",
          "service-clusterip",
          "-n",
          "dev",
          "-p",
          `{"spec":{"sessionAffinity":"${value}"}}`,
        );
      patch("ClientIP");
      const timeout = "-o=jsonpath={.spec.sessionAffinityConfig.clientIP.timeoutSeconds}";
      assert.equal(cluster.kubectl("get", "svc", "service-clusterip", "-n", "dev", timeout), "10800");
      await eventually(() => assert.equal(seen("http://10.98.98.98", 20).size, 1));
      patch("None");
      await eventually(() => assert.equal(seen("http://10.98.98.98", 30).size, 3));
    });

    test("delete -f removes the Service, and its address no longer answers", async () => {
      const text = cluster.kubectl("delete", "-f", manifest("03-service-clusterip"));
      assert.match(text, /^service "service-clusterip" deleted/);
      await eventually(() => assert.notEqual(run("curl", ["-s", "--max-time", "1", "http://10.98.98.98"]).status, 0));
    });

    test("NodePort: 80:30002/TCP, answered at every node and by cluster IP", async () => {
      assert.equal(
        cluster.kubectl("create", "-f", manifest("05-service-nodeport")),
        "service/service-nodeport created\n",
      );
      const [service] = rowsOf(cluster.kubectl("get", "svc", "-n", "dev", "-o", "wide"));
      assert.equal(service?.["TYPE"], "NodePort");
      assert.equal(service?.["PORT(S)"], "80:30002/TCP");
      for (const { address } of cluster.reach.nodes) {
        await eventually(() => assert.equal(seen(`http://${address}:30002`, 30).size, 3));
      }
      assert.equal(seen(`http://${service?.["CLUSTER-IP"]}`, 30).size, 3);
    });

    test("NodePort: nothing listens on the port; the kernel's rules answer, 127.0.0.1 included", () => {
      const [pod] = rowsOf(cluster.kubectl("get", "pod", "-n", "dev", "-o", "wide"));
      const node = pod?.["NODE"] ?? "";
      const netns =
        /\S+/.exec(
          run("ip", ["netns", "list"])
            .stdout.split("\n")
            .find((line) => line.includes(node)) ?? "",
        )?.[0] ?? "";
      assert.notEqual(netns, "");
      assert.doesNotMatch(run("ip", ["netns", "exec", netns, "ss", "-ltn"]).stdout, /:30002\b/);
      const { stdout } = run("ip", ["netns", "exec", netns, "curl", "-s", "--max-time", "5", "http://127.0.0.1:30002"]);
      assert.ok(pages.has(stdout.trim()), stdout);
    });

    test("ExternalName: the document's columns, and dig shows the alias with TTL 30 and the target's own addresses", async () => {
      cluster.kubectl("create", "-f", manifest("06-service-externalname"));
      const service = rowsOf(cluster.kubectl("get", "svc", "-n", "dev", "-o", "wide")).find(
        (row) => row["NAME"] === "service-externalname",
      );
      const { AGE: _, ...columns } = service ?? {};
      assert.deepEqual(columns, {
        NAME: "service-externalname",
        TYPE: "ExternalName",
        "CLUSTER-IP": "<none>",
        "EXTERNAL-IP": "www.baidu.com",
        "PORT(S)": "<none>",
        SELECTOR: "<none>",
      });
      await eventually(() => {
        const { stdout } = run("dig", [
          "@10.96.0.10",
          "service-externalname.dev.svc.cluster.local",
          "+noall",
          "+answer",
        ]);
        const records = stdout
          .trim()
          .split("\n")
          .map((line) => line.split(/\s+/).join(" "));
        assert.deepEqual(records.slice(0, 2), [
          "service-externalname.dev.svc.cluster.local. 30 IN CNAME www.baidu.com.",
          "www.baidu.com. 30 IN CNAME www.a.shifen.com.",
        ]);
        assert.deepEqual(records.slice(2).sort(), [
          "www.a.shifen.com. 30 IN A 39.156.66.14",
          "www.a.shifen.com. 30 IN A 39.156.66.18",
        ]);
      });
    });

    test("an address as externalName is taken with a warning that says why it is of no use", () => {
      const outcome = cluster.tryKubectl(
        "create",
        "service",
        "externalname",
        "by-ip",
        "--external-name",
        "39.156.66.18",
        "-n",
        "dev",
      );
      assert.equal(outcome.status, 0, outcome.stderr);
      assert.match(outcome.stderr, /^Warning: .*externalName.*(IP address|39\.156\.66\.18)/m);
    });

    test("the listing of all fields: nodePort with type ClusterIP is refused in upstream's words, with NodePort it is taken", () => {
      const outcome = cluster.tryKubectl(
        "create",
        "-f",
        manifest(form === "legacy" ? "07-service-fields-refused" : "07-service-fields"),
      );
      if (form === "legacy") {
        assert.equal(outcome.status, 1);
        const words = "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'";
        assert.equal(outcome.stderr, `The Service "service" is invalid: ${words}\n`);
      } else assert.equal(outcome.stdout, "service/service created\n");
    });

    test("ping of a cluster IP gets no answer", () => {
      const [service] = rowsOf(cluster.kubectl("get", "svc", "service-nodeport", "-n", "dev"));
      const ping = run("ping", ["-c", "1", "-W", "1", service?.["CLUSTER-IP"] ?? ""]);
      assert.notEqual(ping.status, 0);
    });

    /** The pages that `times` requests saw, each over a connection of its own. */
    function seen(url: string, times: number): Set<string> {
      return new Set(curlMany(url, times).trim().split("\n"));
    }
  });
}
