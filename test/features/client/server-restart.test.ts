import assert from "node:assert/strict";
import { test } from "node:test";
import { startInformer, type Change } from "#client/informer.ts";
import { createRemoteClient } from "#client/remote.ts";
import { createMemoryStore } from "#store/drivers/memory.ts";
import { startTestServer } from "../../fakes/api-server.ts";

const admin = { name: "test", groups: ["system:masters"] };

test("an informer over the network outlives the server's restart and misses nothing, not even what went meanwhile", async (t) => {
  const store = createMemoryStore();
  const first = await startTestServer({ store });
  const port = first.addresses()[0]?.port ?? 0;
  const before = first.localClient(admin);
  for (const name of ["a", "b"]) await before.create("Namespace", { metadata: { name } });

  const client = createRemoteClient({ server: first.url, ca: first.certificates.ca, ...first.certificates.admin });
  const informer = startInformer(client, "Namespace");
  t.after(() => client.close());
  t.after(() => informer.stop());
  await informer.synced;
  const changes: string[] = [];
  let wake = () => {};
  const name = (change: Change<{ metadata: { name: string } }>) => (change.after ?? change.before).metadata.name;
  informer.onChange((change) => {
    changes.push(`${change.type} ${name(change)}`);
    wake();
  });
  await first.stop();

  // While nobody can watch: by a server that listens nowhere.
  const silent = await startTestServer({ store, listen: [] });
  const meanwhile = silent.localClient(admin);
  const change = (before: object) => structuredClone({ ...before, spec: {} }) as never;
  await meanwhile.delete("Namespace", { name: "a" });
  await silent.registry.update(
    { kind: "Namespace", key: { name: "a" }, subresource: "finalize", change },
    { user: admin, fieldManager: "test" },
  );
  await meanwhile.create("Namespace", { metadata: { name: "c" } });
  await silent.stop();

  const second = await startTestServer({ store, listen: [{ host: "127.0.0.1", port }] });
  t.after(() => second.stop());
  await second.localClient(admin).create("Namespace", { metadata: { name: "d" } });
  while (!changes.includes("added d")) await new Promise<void>((resolve) => (wake = resolve));
  assert.deepEqual(changes, ["added a", "added b", "changed a", "removed a", "added c", "added d"]);
  assert.deepEqual(
    informer
      .list()
      .map(({ metadata }) => metadata.name)
      .sort(),
    ["b", "c", "d"],
  );
});
