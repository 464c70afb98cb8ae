import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { curl, curlStatus, eventually, whyNoCluster, withCluster } from "../cluster.ts";

const quickstart = join(import.meta.dirname, "../../../examples/quickstart");

test("a cluster asks for a password, compresses, and writes requests down", { skip: whyNoCluster() }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "fairlead-e2e-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const log = join(dir, "access.log");
  const url = "http://hello.localhost/";
  const health = "http://127.0.0.1:10254";
  const args = ["--access-log", log, "--gzip", "--ingress-healthz-port", "10254"];
  await withCluster({ manifests: [quickstart], args }, async (cluster) => {
    assert.equal(curlStatus(`${health}/healthz`).code, 200);
    cluster.kubectl("create", "secret", "generic", "users", "--from-literal=auth=ann:{PLAIN}one");
    const annotate = (...pairs: string[]) => cluster.kubectl("annotate", "--overwrite", "ingress", "hello", ...pairs);
    const prefix = "nginx.ingress.kubernetes.io";
    annotate(`${prefix}/auth-type=basic`, `${prefix}/auth-secret=users`);
    await eventually(() => assert.equal(curlStatus(url).code, 401));
    assert.equal(curlStatus(url, "-u", "ann:one").code, 200);
    annotate(`${prefix}/auth-secret=nobody`);
    await eventually(() => assert.equal(curlStatus(url, "-u", "ann:one").code, 503));
    await eventually(() =>
      assert.match(cluster.kubectl("describe", "ingress", "hello"), /Secret default\/nobody does not/),
    );
    annotate(`${prefix}/auth-type-`, `${prefix}/auth-secret-`);
    await eventually(() => assert.equal(curlStatus(url).code, 200));
    const long = ["-H", `X-Long: ${"long ".repeat(100)}`, "-D", "-", "-o", "/dev/null"];
    assert.match(curl(url, "--compressed", ...long), /^Vary: Accept-Encoding\r?$/im);
    const counted = /^nginx_ingress_controller_requests\{status="401",.*ingress="hello",service="hello",.*\} [1-9]/m;
    assert.match(curl(`${health}/metrics`), counted);
    assert.match(curl(`${health}/requests`), /"status":401/);
    await eventually(() => {
      assert.ok(existsSync(log));
      const lines = readFileSync(log, "utf8");
      assert.match(lines, / - ann \[.*\] "GET \/ HTTP\/1.1" 200 \d+ "-" "curl\//);
      assert.match(lines, / - - \[.*\] "GET \/ HTTP\/1.1" 401 /);
    });
  });
});
