import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";
import { EventEmitter } from "node:events";
import { createFakeClient } from "#client/fake.ts";
import { silentLog, type Log } from "#base/log.ts";
import { defaultWorkerUrl, startDns } from "../../../src/dns/start.ts";
import { queryFor, read, sendUdp } from "../../fakes/dns-client.ts";
import { anyPort, namespace, service, zone } from "./fixture.ts";

test("a worker that dies is started again, with its addresses and all names", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dns-worker-"));
  const program = join(folder, "worker.mjs");
  // The real worker, with one more word that makes it fail.
  writeFileSync(
    program,
    `import { parentPort } from "node:worker_threads";
     parentPort.on("message", (message) => {
       if (message.diff?.names.includes("\\x06poison")) throw new Error("poisoned");
     });
     await import(${JSON.stringify(defaultWorkerUrl.href)});`,
  );
  const said = new EventEmitter();
  const log: Log = { ...silentLog, error: (_fields, message) => said.emit(message), child: () => log };
  const client = createFakeClient([namespace("dev"), service("web", { clusterIP: "10.96.0.20" })]);
  const dns = await startDns({ client, listen: anyPort, clusterDomain: zone, log, workerUrl: pathToFileURL(program) });
  const at = dns.addresses[0] ?? assert.fail("no listener");
  const ask = async () => read(await sendUdp(at, queryFor(`web.dev.svc.${zone}`, "A"), 200));
  await dns.waitFor("2");
  assert.equal((await ask()).answers.length, 1);

  const died = once(said, "the DNS worker ended; starting it again");
  await client.create("Service", service("poison", { clusterIP: "10.96.0.66" }) as never);
  await died;
  await client.delete("Service", { namespace: "dev", name: "poison" });
  await dns.waitFor("4");
  for (;;) {
    const answer = await sendUdp(at, queryFor(`web.dev.svc.${zone}`, "A"), 50);
    if (answer === undefined) continue;
    assert.equal(read(answer).answers.length, 1);
    break;
  }
  await dns.stop();
  rmSync(folder, { recursive: true });
});
