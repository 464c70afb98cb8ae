import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { findProgram } from "#roles/packages.ts";
import { startCluster, whyNoCluster, withCluster } from "../cluster.ts";

const skip = whyNoCluster() || (findProgram("dig") === undefined ? "needs dig" : false);
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "fairlead-up-dns-"));
const file = join(folder, "dns.yml");

after(() => rmSync(folder, { recursive: true }));

const short = async (...args: string[]) =>
  (await run("dig", ["@10.96.0.10", "+short", "+tries=1", ...args])).stdout.trim();

test("a cluster's DNS is configured by a file, and takes its changes", { skip }, async () => {
  const hosts = (address: string) =>
    `hosts: { entries: [{ address: ${address}, names: [printer.test] }] }\nttlSeconds: 9\n`;
  writeFileSync(file, `${hosts("192.0.2.1")}http: { metrics: 127.0.0.1:9153 }\n`);
  await withCluster({ args: ["--nodes", "1", "--dns-config", file] }, async () => {
    assert.equal(await short("printer.test"), "192.0.2.1");
    const { stdout } = await run("dig", ["@10.96.0.10", "+noall", "+answer", "kubernetes.default.svc.cluster.local"]);
    assert.match(stdout, /\s9\s+IN\s+A\s+10\.96\.0\.1/);
    const metrics = await (await fetch("http://127.0.0.1:9153/metrics")).text();
    assert.match(metrics, /^coredns_dns_requests_total/m);
    await assert.rejects(fetch("http://127.0.0.1:8181/ready"));
    writeFileSync(file, `${hosts("192.0.2.2")}http: { metrics: 127.0.0.1:9153 }\n`);
    const deadline = Date.now() + 10_000;
    while ((await short("printer.test")) !== "192.0.2.2") {
      assert.ok(Date.now() < deadline, "the change is taken");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
});

test("a configuration that is wrong, or of another zone, ends up before anything is started", { skip }, async () => {
  writeFileSync(file, "ttlSecond: 9\n");
  await assert.rejects(
    startCluster({ args: ["--dns-config", file] }),
    /ttlSecond is not a key; did you mean ttlSeconds/,
  );
  writeFileSync(file, "clusterDomain: other.test\n");
  await assert.rejects(startCluster({ args: ["--dns-config", file] }), /fairlead up --cluster-domain other\.test/);
});
