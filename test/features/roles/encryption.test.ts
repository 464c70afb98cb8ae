import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { RoleError } from "#roles/report.ts";
import { dataPaths } from "#roles/state.ts";
import { openStore } from "#roles/store.ts";
import type { Client } from "#client/contract.ts";
import type { Store } from "#store/contract.ts";
import { StoreError } from "#store/error.ts";
import { startTestServer } from "../../fakes/api-server.ts";
import { startEtcd, whyNoEtcd } from "../../fakes/etcd.ts";

const key = (name: string) => `{name: ${name}, secret: ${randomBytes(32).toString("base64")}}`;
const [one, two] = [key("one"), key("two")];
const admin = { name: "test", groups: ["system:masters"] };
/** What must not be found; a Secret holds it in base64. */
const clear = "correct-horse-battery-staple";
const traces = [
  clear,
  ...[0, 1, 2].map((shift) =>
    Buffer.from("x".repeat(shift) + clear)
      .toString("base64")
      .slice(4, -4),
  ),
];

interface Ground {
  readonly folder: string;
  /** The store with these providers for Secrets; with none, without a configuration. */
  open(providers?: string): Promise<Store>;
  /** Whether a file of the folder holds what is secret. */
  isClear(): boolean;
  holds(text: string): boolean;
}

function openGround(t: TestContext): Ground {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-encryption-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = join(folder, "..", `${folder.split("/").at(-1)}.yaml`);
  t.after(() => rmSync(config, { force: true }));
  const holds = (text: string) => readdirSync(folder).some((file) => readFileSync(join(folder, file)).includes(text));
  return {
    folder,
    holds,
    isClear: () => traces.some((trace) => holds(trace)),
    open(providers) {
      if (providers === undefined) return openStore({}, dataPaths(folder));
      writeFileSync(config, configuration(providers));
      return openStore({ encryptionConfig: config }, dataPaths(folder));
    },
  };
}

function configuration(providers: string, resources = "secrets"): string {
  const rule = `{resources: [${resources}], providers: [${providers}]}`;
  return `apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources: [${rule}]\n`;
}

const gcm = (...keys: string[]) => `aesgcm: {keys: [${keys.join(", ")}]}`;
const cbc = (...keys: string[]) => `aescbc: {keys: [${keys.join(", ")}]}`;

/** Does something with a client of an API server over the store, and closes both. */
async function within(store: Store, use: (client: Client) => Promise<void>): Promise<void> {
  try {
    const server = await startTestServer({ store });
    try {
      await use(server.localClient(admin));
    } finally {
      await server.stop();
    }
  } finally {
    await store.close();
  }
}

async function write(store: Store, backup?: string): Promise<void> {
  await within(store, async (client) => {
    await client.create("Namespace", { metadata: { name: "n" } });
    await client.create("Secret", {
      metadata: { name: "a", namespace: "n" },
      stringData: { password: clear },
    });
    await client.create("Secret", {
      metadata: { name: "gone", namespace: "n" },
      stringData: { password: clear },
    });
    await client.patch("Secret", { namespace: "n", name: "a" }, { metadata: { labels: { seen: "yes" } } });
    await client.delete("Secret", { namespace: "n", name: "gone" });
    await client.create("ConfigMap", { metadata: { name: "plain", namespace: "n" }, data: { k: "nothing-secret" } });
    if (backup !== undefined) await store.backup?.(backup);
  });
}

async function expectThere(store: Store): Promise<void> {
  await within(store, async (client) => {
    const found = await client.get("Secret", { namespace: "n", name: "a" });
    assert.equal(Buffer.from(found?.data?.["password"] ?? "", "base64").toString(), clear);
    assert.deepEqual(found?.metadata.labels, { seen: "yes" });
  });
}

const encryptedWith = (name: string, message: RegExp) => (error: unknown) =>
  error instanceof StoreError &&
  error.code === "encrypted" &&
  error.message.includes(name) &&
  message.test(error.message);

for (const [name, way] of [
  ["aesgcm", gcm],
  ["aescbc", cbc],
] as const) {
  test(`Secrets kept by ${name} stand nowhere in clear text: not in the files, not in a backup`, async (t) => {
    const ground = openGround(t);
    await write(await ground.open(way(one)), join(ground.folder, "backup"));
    assert.ok(ground.holds("nothing-secret"), "the files can be searched");
    assert.ok(ground.holds(`k8s:enc:${name}:v1:one:`));
    assert.ok(!ground.isClear());
    await expectThere(await ground.open(way(one)));
    assert.ok(!ground.isClear());
  });
}

test("what was there before is encrypted at the next start, its history and the free parts of the file with it", async (t) => {
  const ground = openGround(t);
  await write(await ground.open());
  assert.ok(ground.isClear());
  await expectThere(await ground.open(`${gcm(one)}, identity: {}`));
  assert.ok(!ground.isClear());
});

test("keys are changed: a second to read, then first to write, then the old one goes", async (t) => {
  const ground = openGround(t);
  await write(await ground.open(gcm(one)));
  await expectThere(await ground.open(gcm(one, two)));
  assert.ok(ground.holds(":one:") && !ground.holds(":two:"));
  await expectThere(await ground.open(gcm(two, one)));
  assert.ok(!ground.holds(":one:") && ground.holds(":two:"));
  await expectThere(await ground.open(gcm(two)));
  // And back to clear text, by whoever wishes it.
  await expectThere(await ground.open(`identity: {}, ${gcm(two)}`));
  assert.ok(!ground.holds(":two:") && ground.isClear());
  await expectThere(await ground.open());
});

test("without the right key nothing starts, and it is told which Secret and which key", async (t) => {
  const ground = openGround(t);
  await write(await ground.open(gcm(one)));
  const missing =
    /^\/registry\/secrets\/n\/a in the store is encrypted with key "one" of aesgcm, which is not at hand: start/;
  await assert.rejects(ground.open(gcm(two)), encryptedWith("one", missing));
  await assert.rejects(ground.open(cbc(one)), encryptedWith("one", missing));
  await assert.rejects(ground.open(`${gcm(two)}, identity: {}`), encryptedWith("one", missing));
  const wrong = /encrypted with key "one" of aesgcm, and the key of this name does not open it: give the name/;
  await assert.rejects(ground.open(gcm(two.replace("two", "one"), two)).then(expectThere), encryptedWith("one", wrong));
  const plain = await ground.open();
  await assert.rejects(startTestServer({ store: plain }), encryptedWith("one", missing));
  await plain.close();
  await expectThere(await ground.open(gcm(one)));

  // Clear text that somebody has put there counts only where it is said to.
  const other = openGround(t);
  await write(await other.open());
  const unsaid = /^\/registry\/secrets\/n\/a in the store is not encrypted: add identity/;
  await assert.rejects(other.open(gcm(one)), encryptedWith("a", unsaid));
});

test("a configuration that cannot be used ends the start, and a resource that is nearly one is no resource", async (t) => {
  const ground = openGround(t);
  const file = join(ground.folder, "enc.yaml");
  const refuses = (text: string, message: RegExp) => {
    writeFileSync(file, text);
    const failing = openStore({ encryptionConfig: file }, dataPaths(ground.folder));
    return assert.rejects(failing, (error) => error instanceof RoleError && message.test(error.message));
  };
  await refuses(
    "kind: x",
    /^--encryption-provider-config:\n {2}\S+enc.yaml:1: kind must be one of .*\n.*apiVersion is missing/,
  );
  await refuses(configuration(gcm(one), "secret"), /secret is no resource that is kept here; did you mean secrets\?/);
  const none = openStore({ encryptionConfig: "/none.yaml" }, dataPaths(ground.folder));
  await assert.rejects(none, /--encryption-provider-config: \/none.yaml cannot be read/);
  assert.deepEqual(readdirSync(ground.folder), ["enc.yaml"], "nothing was begun");
});

test("in etcd, too, Secrets are encrypted, for watches of other servers as well", { skip: whyNoEtcd() }, async (t) => {
  const etcd = await startEtcd();
  t.after(() => etcd.dispose());
  const ground = openGround(t);
  const file = join(ground.folder, "enc.yaml");
  writeFileSync(file, configuration(gcm(one)));
  const open = (encryptionConfig?: string) =>
    openStore(
      { etcd: { servers: [etcd.url] }, ...(encryptionConfig === undefined ? {} : { encryptionConfig }) },
      dataPaths(ground.folder),
    );
  const other = await open(file);
  const server = await startTestServer({ store: other });
  t.after(async () => {
    await server.stop();
    await other.close();
  });
  const client = server.localClient(admin);
  const told = new Promise<unknown>((resolve) => {
    const stop = client.watch(
      "Secret",
      { since: "0" },
      {
        event({ object }) {
          stop();
          resolve(object.data);
        },
        end() {},
      },
    );
  });
  await write(await open(file));
  assert.deepEqual(await told, { password: Buffer.from(clear).toString("base64") });
  const { openEtcdStore } = await import("#store/drivers/etcd.ts");
  const raw = await openEtcdStore({ servers: [etcd.url] });
  const { entries } = await raw.list({ prefix: "/registry/secrets/" });
  await raw.close();
  assert.equal(entries.length, 1);
  for (const { value } of entries) assert.match(Buffer.from(value).toString("latin1"), /^k8s:enc:aesgcm:v1:one:/);
});
