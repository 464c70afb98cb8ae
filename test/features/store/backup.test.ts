import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { runBackupRole, runRestoreRole } from "#roles/backup.ts";
import { defaultOptions } from "#roles/options.ts";
import { RoleError } from "#roles/report.ts";
import { dataPaths, processId, writeState, type RunState } from "#roles/state.ts";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { put, text } from "../../conformance/store/suite.ts";
import { openWatch, startTestServer } from "../../fakes/api-server.ts";

const quiet = () => {};
const admin = { name: "test", groups: ["system:masters"] };

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-backup-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function says(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof RoleError && message.test(`${error.message}: ${error.next}`);
}

const stateOf = (dataDir: string, change: Partial<RunState>): RunState => ({
  process: processId(process.pid),
  options: { ...defaultOptions, dataDir },
  httpPort: 0,
  httpsPort: 0,
  withNodes: false,
  phase: "running",
  ...change,
});

test("a backup of an open store is one file of one moment, for its owner alone", async (t) => {
  const folder = folderFor(t);
  const store = await openSqliteStore(join(folder, "state.db"));
  await put(store, "/a", "1");
  const file = join(folder, "backup");
  await store.backup?.(file);
  await put(store, "/a", "2");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await assert.rejects(store.backup?.(file) ?? Promise.resolve(), /backup cannot be written: it is there already/);
  await store.close();
  const copy = await openSqliteStore(file);
  t.after(() => copy.close());
  assert.equal(text((await copy.get("/a"))?.value), "1");
  assert.equal(await copy.revision(), 1);
});

test("a restored cluster has the objects of the backup, and tells those who watched before to begin anew", async (t) => {
  const dataDir = folderFor(t);
  const file = join(folderFor(t), "backup");
  const serve = async () => {
    const store = await openSqliteStore(dataPaths(dataDir).store);
    const server = await startTestServer({ store });
    const client = server.localClient(admin);
    const stop = async () => {
      await server.stop();
      await store.close();
    };
    return { server, client, stop };
  };
  const before = await serve();
  await before.client.create("Namespace", { metadata: { name: "kept" } });
  await before.stop();
  await runBackupRole(dataDir, file, quiet);
  const later = await serve();
  const { metadata } = await later.client.create("Namespace", { metadata: { name: "lost" } });
  await later.stop();
  await assert.rejects(runRestoreRole(dataDir, file, { force: false }, quiet), says(/there is a cluster in .*--force/));

  const revisions: number[] = [Number(metadata.resourceVersion)];
  // Twice: what was given out after the first time is not given out again.
  for (let time = 0; time < 2; time += 1) {
    await runRestoreRole(dataDir, file, { force: true }, quiet);
    const after = await serve();
    const { items, resourceVersion } = await after.client.list("Namespace");
    assert.deepEqual(
      items.map((item) => item.metadata.name),
      ["kept"],
    );
    const made = await after.client.create("Namespace", { metadata: { name: "new" } });
    assert.ok(Number(resourceVersion) > (revisions.at(-1) ?? 0));
    const watch = await openWatch(after.server, `/api/v1/namespaces?watch=1&resourceVersion=${revisions.at(-1)}`);
    assert.equal((await watch.until(1))[0]?.object["code"], 410);
    revisions.push(Number(made.metadata.resourceVersion));
    await after.stop();
  }
  assert.equal(statSync(dataPaths(dataDir).store).mode & 0o777, 0o600);
});

test("what is no backup is refused, and what was there stays", async (t) => {
  const dataDir = folderFor(t);
  const paths = dataPaths(dataDir);
  const store = await openSqliteStore(paths.store);
  await put(store, "/a", "1");
  await store.backup?.(join(dataDir, "good"));
  await store.close();
  const refused: [content: Buffer | undefined, message: RegExp][] = [
    [undefined, /bad (is not there|cannot be opened)/],
    [Buffer.from("not a database, but long enough to have a header ".repeat(40)), /is not a Fairlead store/],
    [readFileSync(join(dataDir, "good")).subarray(0, 8000), /bad is (damaged|not a Fairlead store)/],
  ];
  for (const [content, message] of refused) {
    const bad = join(dataDir, "bad");
    if (content !== undefined) writeFileSync(bad, content);
    await assert.rejects(runRestoreRole(dataDir, bad, { force: true }, quiet), says(message));
    assert.equal(existsSync(`${paths.store}.restoring`), false);
  }
  const same = await openSqliteStore(paths.store);
  t.after(() => same.close());
  assert.equal(text((await same.get("/a"))?.value), "1");
});

test("a folder without a cluster, a file that is there, a cluster that runs, one in etcd: each is told apart", async (t) => {
  const dataDir = folderFor(t);
  const file = join(folderFor(t), "backup");
  await assert.rejects(runBackupRole(dataDir, file, quiet), says(/there is no cluster in/));
  const paths = dataPaths(dataDir);
  await (await openSqliteStore(paths.store)).close();
  writeFileSync(file, "mine");
  await assert.rejects(runBackupRole(dataDir, file, quiet), says(/is there already: name a new file/));
  assert.equal(readFileSync(file, "utf8"), "mine");
  writeState(paths, stateOf(dataDir, {}));
  await assert.rejects(
    runRestoreRole(dataDir, file, { force: true }, quiet),
    says(/runs: stop it first: fairlead down/),
  );
  const etcd = { servers: ["http://etcd:2379"] };
  writeState(paths, stateOf(dataDir, { phase: "stopped", options: { ...defaultOptions, dataDir, etcd } }));
  await assert.rejects(runBackupRole(dataDir, join(dataDir, "b"), quiet), says(/etcdctl snapshot save/));
  await assert.rejects(runRestoreRole(dataDir, file, { force: true }, quiet), says(/etcdctl snapshot restore/));
});
