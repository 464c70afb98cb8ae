import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { curl, curlStatus, eventually, rowsOf, run, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";
import { startUpstream, type Upstream } from "../upstream.ts";
import { forms, manifestOf } from "./forms.ts";

for (const form of forms) {
  describe(`the document on Service and Ingress, ${form} manifests`, { skip: whyNoCluster() }, () => {
    const manifest = manifestOf("000", form);
    let cluster: TestCluster;
    let upstream: Upstream;
    let nginxPods: string[] = [];

    before(async () => {
      upstream = await startUpstream({ "redis.example.com": { a: ["192.0.2.77"], ttl: 60 } });
      cluster = await startCluster({ args: ["--http-port", "80", "--https-port", "443"] });
    });
    after(async () => {
      await cluster?.purge();
      await upstream?.stop();
    });

    const apply = (...names: string[]) => {
      for (const name of names) cluster.kubectl("apply", "-f", manifest(name));
    };
    const rollout = (name: string, namespace = "default") =>
      cluster.kubectl("rollout", "status", `deployment/${name}`, "-n", namespace, "--timeout=30s");
    /** curl that reaches our Ingress whatever the host of the URL is. */
    const toIngress = ["--connect-to", "::127.0.0.1:"];

    test("ExternalName: the alias is answered by cluster DNS", async () => {
      apply("01-redis-externalname");
      const [row] = rowsOf(cluster.kubectl("get", "svc", "redis-svc"));
      assert.equal(row?.["EXTERNAL-IP"], "redis.example.com");
      assert.equal(row?.["PORT(S)"], "6379/TCP");
      await eventually(() => {
        const { stdout } = run("dig", ["@10.96.0.10", "redis-svc.default.svc.cluster.local", "+short"]);
        assert.deepEqual(stdout.trim().split("\n"), ["redis.example.com.", "192.0.2.77"]);
      });
    });

    test("NodePort: one port of the Service, one of the pods, one of every node", async () => {
      apply("02-nginx-service", "03-nginx-deployment");
      rollout("nginx-deployment");
      const service = rowsOf(cluster.kubectl("get", "svc", "nginx-service"))[0];
      assert.equal(service?.["PORT(S)"], "31222:32222/TCP");
      nginxPods = podsOf("app=nginx");
      assert.equal(nginxPods.length, 3);
      for (const { address } of cluster.reach.nodes) {
        await eventually(() => assert.match(curl(`http://${address}:32222`), /nginx/i));
      }
      assert.match(curl(`http://${service?.["CLUSTER-IP"]}:31222`), /nginx/i);
    });

    test("discovery by environment: Services of the same namespace that were there before the pod", () => {
      const environment = cluster.kubectl("exec", nginxPods[0] ?? "", "--", "env");
      assert.match(environment, /^NGINX_SERVICE_SERVICE_HOST=10\./m);
      assert.match(environment, /^NGINX_SERVICE_SERVICE_PORT=31222$/m);
      assert.match(environment, /^NGINX_SERVICE_PORT=tcp:\/\/10\.\d+\.\d+\.\d+:31222$/m);
      assert.match(environment, /^KUBERNETES_SERVICE_HOST=10\.96\.0\.1$/m);
      assert.doesNotMatch(environment, /KUBE_DNS|TOMCAT|REDIS_SVC/);
    });

    test("discovery by DNS inside a pod: name, name.namespace and the full name", () => {
      const address = cluster.kubectl("get", "svc", "nginx-service", "-o=jsonpath={.spec.clusterIP}");
      for (const name of ["nginx-service", "nginx-service.default", "nginx-service.default.svc.cluster.local"]) {
        const found = cluster.kubectl("exec", nginxPods[0] ?? "", "--", "getent", "hosts", name);
        assert.equal(found.split(/\s+/)[0], address, name);
      }
      const resolver = cluster.kubectl("exec", nginxPods[0] ?? "", "--", "cat", "/etc/resolv.conf");
      assert.match(resolver, /^nameserver 10\.96\.0\.10$/m);
      assert.match(resolver, /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/m);
      assert.match(resolver, /^options ndots:5$/m);
    });

    test("a headless Service has the addresses of its endpoints", async () => {
      cluster.kubectlWith(
        JSON.stringify({
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "nginx-headless" },
          spec: { clusterIP: "None", selector: { app: "nginx" }, ports: [{ port: 80 }] },
        }),
        "apply",
        "-f",
        "-",
      );
      const addresses = cluster
        .kubectl("get", "pod", "-l", "app=nginx", "-o=jsonpath={.items[*].status.podIP}")
        .split(" ");
      await eventually(() => {
        const { stdout } = run("dig", ["@10.96.0.10", "nginx-headless.default.svc.cluster.local", "+short"]);
        assert.deepEqual(stdout.trim().split("\n").sort(), addresses.sort());
      });
    });

    test("Ingress by host name", async () => {
      apply("04-traefik-service", "05-host-ingress");
      rollout("traefik-dashboard", "kube-system");
      await eventually(() => {
        const { code, body } = curlStatus("http://traefik.jimmysong.io/", ...toIngress);
        assert.equal(code, 200);
        assert.match(body, /^Hostname: traefik-dashboard-/);
      });
      assert.equal(curlStatus("http://unknown.jimmysong.io/", ...toIngress).code, 404);
      const [row] = rowsOf(cluster.kubectl("get", "ingress", "-n", "kube-system"));
      assert.equal(row?.["HOSTS"], "traefik.jimmysong.io");
      assert.notEqual(row?.["ADDRESS"], "");
    });

    test("rewrite: /tomcat and /nginx reach / of two Services", async () => {
      apply("06-tomcat-service", "07-rewrite-ingress");
      rollout("tomcat");
      await eventually(() => assert.match(curl("http://myapp.abc.com/tomcat", ...toIngress), /^GET \/ HTTP\/1\.1$/m));
      assert.match(curl("http://myapp.abc.com/nginx", ...toIngress), /Welcome to nginx/);
    });

    test("Ingress goes straight to the pods, past the Service's address", async () => {
      const pods = cluster
        .kubectl("get", "pod", "-l", "app=tomcat", "-o=jsonpath={.items[*].metadata.name}")
        .split(" ");
      const seen = new Set<string>();
      for (let request = 0; request < 20; request += 1) {
        seen.add(/^Hostname: (.*)$/m.exec(curl("http://myapp.abc.com/tomcat", ...toIngress))?.[1] ?? "");
      }
      assert.deepEqual([...seen].sort(), pods.sort());
      // With every rule of the node that routes cluster addresses gone, Ingress still reaches the pods.
      const netns = run("ip", ["netns", "list"])
        .stdout.split("\n")
        .map((line) => line.split(" ")[0] ?? "");
      for (const name of netns.filter((name) => name.endsWith("node-1"))) {
        assert.equal(run("ip", ["netns", "exec", name, "nft", "list", "table", "ip", "kube-proxy"]).status, 0);
      }
      const established = run("ss", ["-tn"]).stdout;
      assert.doesNotMatch(established, /10\.(9[6-9]|10[0-9]|11[01])\.\d+\.\d+:38080/);
    });

    test("HTTPS with a pair made by openssl and kubectl create secret tls", async () => {
      apply("08-testing-namespace", "09-tomcat-svc", "10-https-ingress");
      rollout("tomcat", "testing");
      // Without its Secret the host answers with the default certificate, and the Ingress says why.
      await eventually(() => {
        const text = cluster.kubectl("describe", "ingress", "tomcat", "-n", "testing");
        assert.match(text, /tomcat-ingress-secret/);
        assert.match(text, /Warning/);
      });
      const folder = mkdtempSync(join(tmpdir(), "fairlead-tls-"));
      const [key, certificate] = [join(folder, "tls.key"), join(folder, "tls.crt")];
      const subject = "/C=CN/ST=Beijing/L=Beijing/O=DevOps/CN=test.abc.com";
      assert.equal(run("openssl", ["genrsa", "-out", key, "2048"]).status, 0);
      const request = ["req", "-new", "-x509", "-key", key, "-out", certificate, "-subj", subject, "-days", "3650"];
      assert.equal(run("openssl", request).status, 0);
      const create = ["create", "secret", "tls", "tomcat-ingress-secret", `--cert=${certificate}`, `--key=${key}`];
      assert.equal(cluster.kubectl(...create, "-n", "testing"), "secret/tomcat-ingress-secret created\n");
      await eventually(() => {
        const { code, body } = curlStatus("https://test.abc.com/", ...toIngress, "--cacert", certificate);
        assert.equal(code, 200);
        assert.match(body, /^X-Forwarded-Proto: https$/m);
      });
      const plain = run("curl", ["-sI", "--max-time", "5", ...toIngress, "http://test.abc.com/"]).stdout;
      assert.match(plain, /^HTTP\/1\.1 308 /);
      assert.match(plain, /^Location: https:\/\/test\.abc\.com\/?\r$/im);
    });

    test("annotations: class, no redirect without TLS, timeouts and a body of 10 MB at most", async () => {
      apply("11-annotations-ingress");
      await eventually(() => assert.equal(curlStatus("http://tomcat.abc.com/", ...toIngress).code, 200));
      const body = (megabytes: number) => ["-X", "POST", "--data-binary", `@${zeros(megabytes)}`, "-H", "Expect:"];
      assert.equal(curlStatus("http://tomcat.abc.com/", ...toIngress, ...body(9)).code, 200);
      assert.equal(curlStatus("http://tomcat.abc.com/", ...toIngress, ...body(11)).code, 413);
      assert.equal(curlStatus("http://myapp.abc.com/tomcat", ...toIngress, ...body(2)).code, 413);
    });

    function podsOf(selector: string): string[] {
      return cluster.kubectl("get", "pod", "-l", selector, "-o=jsonpath={.items[*].metadata.name}").split(" ");
    }

    function zeros(megabytes: number): string {
      const file = join(mkdtempSync(join(tmpdir(), "fairlead-body-")), "zeros");
      run("truncate", ["-s", `${megabytes}M`, file]);
      return file;
    }
  });
}
