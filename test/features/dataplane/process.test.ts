import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { confined } from "#dataplane/process/account.ts";
import { startDataplaneProcess, type DataplaneProcess } from "#dataplane/process/start.ts";
import { ListenError } from "#dataplane/running.ts";
import { eventually } from "../../fakes/eventually.ts";
import { ask, deadPort, echoEndpoint, simple } from "./harness.ts";

const program = new URL("../../../src/dataplane/process/main.ts", import.meta.url);

function start(port: number, main = program): Promise<DataplaneProcess> {
  const listeners = [{ host: "127.0.0.1", port, tls: false }];
  return startDataplaneProcess({ listeners, workers: 1, program: main, log: silentLog, clock: systemClock });
}

test("a data plane in a process of its own serves, counts, is replaced when it dies, and starts anew", async (t) => {
  const port = await deadPort();
  const plane = await start(port);
  t.after(() => plane.stop({ drainMs: 0 }));
  await plane.apply(simple([await echoEndpoint(t)]));
  assert.equal((await ask(t, port, "GET /lost", ["Host: a"])).status, 200);
  const { total, routes } = await plane.counters();
  assert.deepEqual([total.requests, routes.get("all")?.answers], [1, [{ method: "GET", status: 200, requests: 1 }]]);
  assert.equal((await plane.sample())[0]?.target, "/lost");
  const first = plane.pid() ?? 0;
  process.kill(first, "SIGKILL");
  await eventually(() => assert.notEqual(plane.pid(), first));
  assert.equal((await ask(t, port, "GET /")).status, 200);
  const second = plane.pid();
  await plane.restart(0);
  assert.notEqual(plane.pid(), second);
  // Without net.ipv4.tcp_migrate_req a connection may meet the one that leaves.
  await eventually(async () => assert.equal((await ask(t, port, "GET /")).status, 200));
  // A change during a restart reaches the one that serves afterwards.
  const [, other] = await Promise.all([plane.restart(0), echoEndpoint(t, "other ")]);
  const restarted = plane.restart(0);
  await plane.apply(simple([other]));
  await restarted;
  await eventually(async () => assert.match((await ask(t, port, "GET /")).body, /^other /));
});

test("what cannot be started says why: a port that is taken, a program that is not there", async (t) => {
  const taken = await echoEndpoint(t);
  await assert.rejects(start(taken), (error) => error instanceof ListenError && error.code === "EADDRINUSE");
  await assert.rejects(start(0, new URL("file:///nowhere/main.ts")), /the data plane ended with code 1: .*nowhere/s);
});

test("with an account a program keeps the right to ports and nothing else", () => {
  const command = confined({ uid: 7, gid: 8 }, ["node", "main.js"]);
  assert.deepEqual(command.slice(-3), ["--", "node", "main.js"]);
  for (const flag of [
    "--reuid=7",
    "--regid=8",
    "--clear-groups",
    "--no-new-privs",
    "--bounding-set=-all,+net_bind_service",
  ])
    assert.ok(command.includes(flag), flag);
  assert.deepEqual(confined(undefined, ["node", "main.js"]), ["node", "main.js"]);
});
