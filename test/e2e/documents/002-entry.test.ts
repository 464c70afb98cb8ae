import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { curl, curlStatus, eventually, run, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";
import { forms, manifestOf } from "./forms.ts";

for (const form of forms) {
  describe(`the document on the entry, ${form} manifests`, { skip: whyNoCluster() }, () => {
    const manifest = manifestOf("002", form);
    let cluster: TestCluster;

    before(async () => {
      cluster = await startCluster({ args: ["--http-port", "80", "--https-port", "443"] });
    });
    after(() => cluster?.purge());

    test("the Ingress controller applies a new Ingress by itself", async () => {
      for (const name of ["01-ingress-nginx-namespace", "02-s2"]) cluster.kubectl("apply", "-f", manifest(name));
      cluster.kubectl("rollout", "status", "deployment/s2", "--timeout=30s");
      const asked = () => curlStatus("http://127.0.0.1/", "-H", "Host: s2.pctest").code;
      assert.equal(asked(), 404);
      cluster.kubectl("apply", "-f", manifest("03-s2-ingress"));
      await eventually(() => assert.equal(asked(), 200), 1000);
    });

    test("the echo service prints the request as the document shows it, forwarded headers included", () => {
      const host = cluster.reach.nodes[0]?.address.replace(/\d+$/, "254") ?? "";
      const text = curl(`http://${host}/`, "-H", "Host: s2.pctest", "-A", "curl/7.29.0");
      const pods = cluster.kubectl("get", "pod", "-l", "app=s2", "-o=jsonpath={.items[*].metadata.name}").split(" ");
      const lines = text.split("\n");
      assert.ok(pods.includes((lines[0] ?? "").replace(/^Hostname: /, "")), text);
      assert.ok(
        text.includes("---- Http Request Headers ----\n\nGET / HTTP/1.1\nHost: s2.pctest\nUser-Agent: curl/7.29.0\n"),
        text,
      );
      for (const line of [
        "Accept: */*",
        `X-Forwarded-For: ${host}`,
        "X-Forwarded-Host: s2.pctest",
        "X-Forwarded-Port: 80",
        "X-Forwarded-Proto: http",
        "X-Original-Uri: /",
        `X-Real-Ip: ${host}`,
        "X-Scheme: http",
      ]) {
        assert.ok(lines.includes(line), `${line} is missing in\n${text}`);
      }
      assert.match(text, /---- Active Endpoint ----\n\n\[howto\] version: 0\.9/);
    });

    test("the echo server's own endpoints answer as it announces them", () => {
      const ask = (path: string, ...args: string[]) =>
        curlStatus(`http://127.0.0.1${path}`, "-H", "Host: s2.pctest", ...args);
      for (const path of ["/test", "/api", "/health"]) assert.equal(ask(path).code, 200, path);
      assert.equal(ask("/health", "-d", "302").code, 302);
      const begun = performance.now();
      assert.equal(ask("/?wait=1s").code, 200);
      assert.ok(performance.now() - begun > 950);
    });

    test("HEAD over plain TCP by the Service's address", () => {
      cluster.kubectl("apply", "-f", manifest("04-tcp-services-configmap"), "-f", manifest("05-service-nodeport"));
      const address = cluster.kubectl("get", "svc", "s2", "-o=jsonpath={.spec.clusterIP}");
      const input = `HEAD / HTTP/1.1\r\nHost: ${address}\r\nConnection: close\r\n\r\n`;
      const answer = run("socat", ["-t", "2", "-", `TCP4:${address}:80`], { input }).stdout;
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(answer, /^Content-Type: text\/plain; charset=utf-8\r$/im);
      assert.ok(answer.endsWith("\r\n\r\n"), "a HEAD has no body");
    });
  });
}
