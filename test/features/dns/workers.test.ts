import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { silentLog, type Log } from "#base/log.ts";
import { createFakeClient } from "#client/fake.ts";
import { defaultWorkerUrl, startDns } from "../../../src/dns/start.ts";
import { queryFor, read, sendTcp, sendUdp } from "../../fakes/dns-client.ts";
import { anyPort, namespace, service, zone } from "./fixture.ts";

const web = queryFor(`web.dev.svc.${zone}`, "A");
const objects = [namespace("dev"), service("web", { clusterIP: "10.96.0.20" })];

/** The real worker, with words in a Service's name that make it fail; `folder` holds a mark that only one can take. */
function mortalWorker(folder: string): URL {
  const program = join(folder, "worker.mjs");
  writeFileSync(
    program,
    `import { parentPort } from "node:worker_threads";
     import { mkdirSync } from "node:fs";
     parentPort.on("message", (message) => {
       if (!message.diff?.names.includes("\\x06poison")) return;
       try { mkdirSync(${JSON.stringify(join(folder, "taken"))}); } catch { return; }
       throw new Error("poisoned");
     });
     await import(${JSON.stringify(defaultWorkerUrl.href)});`,
  );
  return pathToFileURL(program);
}

test("several workers share one port, know the same names, and count together", async () => {
  const client = createFakeClient(objects);
  const dns = await startDns({ client, listen: anyPort, clusterDomain: zone, settings: { workers: 3 } });
  const at = dns.addresses[0] ?? assert.fail("no listener");
  await dns.waitFor("2");
  const made = await client.create("Service", service("new", { clusterIP: "10.96.0.21" }) as never);
  await dns.waitFor(made.metadata.resourceVersion ?? "");
  const fresh = queryFor(`new.dev.svc.${zone}`, "A");
  // Each question comes from a port of its own, so the kernel spreads them over the workers.
  const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => sendUdp(at, index % 2 ? web : fresh)));
  for (const answer of answers) assert.equal(read(answer).answers.length, 1);
  for (let round = 0; round < 6; round++) assert.equal((await sendTcp(at, [web, fresh])).length, 2);
  assert.deepEqual((await dns.counters()).requests, { "udp 1 A": 60, "tcp 1 A": 12 });
  await assert.rejects(startDns({ client, listen: [at], clusterDomain: zone }), { code: "EADDRINUSE" });
  await dns.stop();
});

test("while one worker is dead the others answer, and its successor knows all names", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dns-workers-"));
  const said = new EventEmitter();
  const log: Log = { ...silentLog, error: (_fields, message) => said.emit(message), child: () => log };
  const client = createFakeClient(objects);
  const workerUrl = mortalWorker(folder);
  const settings = { workers: 2 };
  const dns = await startDns({ client, listen: anyPort, clusterDomain: zone, settings, log, workerUrl });
  const at = dns.addresses[0] ?? assert.fail("no listener");
  await dns.waitFor("2");
  const died = once(said, "the DNS worker ended; starting it again");
  await client.create("Service", service("poison", { clusterIP: "10.96.0.66" }) as never);
  await died;
  for (let round = 0; round < 20; round++) assert.equal(read(await sendUdp(at, web)).answers.length, 1);
  await dns.waitFor("3");
  await dns.configure({ workers: 2 });
  for (let round = 0; round < 20; round++) {
    const answer = read(await sendUdp(at, queryFor(`poison.dev.svc.${zone}`, "A")));
    assert.equal(answer.answers.length, 1);
  }
  await dns.stop();
  rmSync(folder, { recursive: true });
});

test("workers are added while questions are answered, and none goes before the next start", async () => {
  const client = createFakeClient(objects);
  const said: string[] = [];
  const info: Log["info"] = (_fields, message) => {
    if (message.startsWith("fewer DNS workers")) said.push(message);
  };
  const log: Log = { ...silentLog, info, child: () => log };
  const dns = await startDns({ client, listen: anyPort, clusterDomain: zone, log });
  const at = dns.addresses[0] ?? assert.fail("no listener");
  await dns.waitFor("2");
  let asked = 0;
  let going = true;
  const questions = (async () => {
    for (; going; asked++) assert.equal(read(await sendUdp(at, web)).answers.length, 1);
  })();
  await dns.configure({ workers: 3 });
  const before = asked;
  while (asked < before + 30) await new Promise((resolve) => setImmediate(resolve));
  // A worker that goes would take along the questions that wait in its socket.
  const burst = Array.from({ length: 40 }, () => sendUdp(at, web));
  await dns.configure({ workers: 1 });
  for (const answer of await Promise.all(burst)) assert.equal(read(answer).answers.length, 1);
  going = false;
  await questions;
  assert.equal((await dns.counters()).requests["udp 1 A"], asked + burst.length);
  assert.equal(said.length, 1);
  await dns.stop();
});
