import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CompactedError, type Store, type StoreEvent, type Write } from "#store/contract.ts";

export interface StoreSubject {
  readonly store: Store;
  /** Closes the store and takes away what it left. */
  readonly dispose: () => Promise<void>;
}

/** The suite every store driver passes. */
export function describeStore(name: string, open: () => Promise<StoreSubject>): void {
  const within = (promise: string, body: (store: Store) => Promise<void>) =>
    void it(promise, async () => {
      const { store, dispose } = await open();
      try {
        await body(store);
      } finally {
        await dispose();
      }
    });

  void describe(`the ${name} store`, () => {
    within("starts empty at revision 0", async (store) => {
      assert.equal(await store.revision(), 0);
      assert.deepEqual(await store.list({ prefix: "" }), { entries: [], revision: 0, remaining: 0 });
    });

    within("gives each commit the next revision, shared by its writes", async (store) => {
      assert.equal(await put(store, "/a", "1"), 1);
      const result = await store.commit([write("/b", "1"), write("/c", "1")]);
      assert.deepEqual(result, { ok: true, revision: 2 });
      assert.equal((await store.get("/b"))?.modRevision, 2);
      assert.equal((await store.get("/c"))?.modRevision, 2);
      assert.equal(await store.revision(), 2);
    });

    within("keeps the create revision through updates and renews it after a delete", async (store) => {
      await put(store, "/a", "1");
      await put(store, "/a", "2");
      const { createRevision, modRevision, value } = (await store.get("/a")) ?? {};
      assert.deepEqual([createRevision, modRevision, text(value)], [1, 2, "2"]);
      await store.commit([{ type: "delete", key: "/a" }]);
      assert.equal(await store.get("/a"), undefined);
      await put(store, "/a", "3");
      assert.equal((await store.get("/a"))?.createRevision, 4);
    });

    within("refuses a commit whose expectation fails, with what stands there, and changes nothing", async (store) => {
      await put(store, "/a", "1");
      const refused = await store.commit([write("/b", "1"), { ...write("/a", "2"), expect: "absent" }]);
      assert.equal(refused.ok, false);
      assert.equal(refused.ok ? "" : refused.key, "/a");
      assert.equal(refused.ok ? 0 : refused.current?.modRevision, 1);
      assert.equal(await store.get("/b"), undefined);
      assert.equal(await store.revision(), 1);
      const absent = await store.commit([{ type: "delete", key: "/none", expect: 1 }]);
      assert.deepEqual(absent, { ok: false, key: "/none", current: undefined });
      assert.equal((await store.commit([{ ...write("/a", "2"), expect: 1 }])).ok, true);
    });

    within("lets one of several writers at once win", async (store) => {
      await put(store, "/a", "0");
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, index) => store.commit([{ ...write("/a", String(index)), expect: 1 }])),
      );
      assert.equal(results.filter(({ ok }) => ok).length, 1);
      const [, second] = results;
      assert.equal(second?.ok === false ? second.current?.modRevision : 0, 2);
    });

    within("pages through a prefix in byte order", async (store) => {
      for (const key of ["/p/b", "/q/x", "/p/a-b", "/p/a/c", "/p/é", "/p/\u{1f600}", "/p/\uffee"])
        await put(store, key, key);
      const all = await store.list({ prefix: "/p/" });
      const sorted = ["/p/a-b", "/p/a/c", "/p/b", "/p/é", "/p/\uffee", "/p/\u{1f600}"];
      assert.deepEqual(
        all.entries.map(({ key }) => key),
        sorted,
      );
      const first = await store.list({ prefix: "/p/", limit: 2 });
      assert.deepEqual([first.entries.length, first.remaining, first.revision], [2, 4, 7]);
      const rest = await store.list({ prefix: "/p/", after: "/p/a/c", atRevision: first.revision });
      assert.deepEqual(
        rest.entries.map(({ key }) => key),
        sorted.slice(2),
      );
    });

    within("shows how things were at an older revision", async (store) => {
      await put(store, "/a", "1");
      await put(store, "/b", "1");
      await put(store, "/a", "2");
      await store.commit([{ type: "delete", key: "/b" }]);
      assert.equal(text((await store.get("/a", 2))?.value), "1");
      assert.equal(text((await store.get("/b", 3))?.value), "1");
      assert.equal(await store.get("/b", 1), undefined);
      const then = await store.list({ prefix: "/", atRevision: 2 });
      assert.deepEqual(
        then.entries.map(({ key, value }) => `${key}=${text(value)}`),
        ["/a=1", "/b=1"],
      );
      assert.equal(then.revision, 2);
    });

    within("tells a watch of every change after its start, once and in order", async (store) => {
      await put(store, "/a", "1");
      await put(store, "/a", "2");
      const watch = follow(store, "/", 1);
      await put(store, "/b", "1");
      await store.commit([{ type: "delete", key: "/a" }, write("/c", "1")]);
      const events = await watch.until(4);
      assert.deepEqual(
        events.map(({ type, key, revision, previous }) => `${revision} ${type} ${key} ${text(previous?.value)}`),
        ["2 put /a 1", "3 put /b ", "4 delete /a 2", "4 put /c "],
      );
      watch.stop();
    });

    within("tells a watch of its prefix alone, and nothing once stopped", async (store) => {
      const watch = follow(store, "/x/", 0);
      const witness = follow(store, "/", 0);
      await put(store, "/x/1", "");
      await put(store, "/xy", "");
      await witness.until(2);
      assert.deepEqual(
        watch.events.map(({ key }) => key),
        ["/x/1"],
      );
      watch.stop();
      await put(store, "/x/2", "");
      await witness.until(3);
      assert.equal(watch.events.length, 1);
      witness.stop();
    });

    within("has told of a commit before it is acknowledged", async (store) => {
      const watch = follow(store, "/", 0);
      await Promise.resolve();
      await put(store, "/a", "1");
      assert.equal(watch.events.length, 1);
      watch.stop();
    });

    within("forgets history when compacted, and says so", async (store) => {
      for (const value of ["1", "2", "3"]) await put(store, "/a", value);
      await store.compact(2);
      await assert.rejects(store.get("/a", 1), (error) => error instanceof CompactedError && error.oldest === 2);
      await assert.rejects(store.list({ prefix: "/", atRevision: 1 }), CompactedError);
      assert.equal(text((await store.get("/a", 2))?.value), "2");
      assert.equal(text((await store.get("/a"))?.value), "3");
      const old = follow(store, "/", 1);
      await old.ended;
      assert.deepEqual(old.ends, ["compacted"]);
      const young = follow(store, "/", 2);
      assert.equal((await young.until(1))[0]?.revision, 3);
      young.stop();
    });

    within("keeps values byte for byte", async (store) => {
      const value = Uint8Array.from({ length: 256 }, (_, index) => index);
      await store.commit([{ type: "put", key: "/bytes", value }]);
      assert.deepEqual([...((await store.get("/bytes"))?.value ?? [])], [...value]);
    });

    within("ends its watches and refuses writes once closed", async (store) => {
      const watch = follow(store, "/", 0);
      await put(store, "/a", "1");
      await store.close();
      await watch.ended;
      assert.deepEqual(watch.ends, ["closed"]);
      await assert.rejects(store.commit([write("/b", "1")]), /closed/);
    });
  });
}

export function write(key: string, value: string): Extract<Write, { type: "put" }> {
  return { type: "put", key, value: Buffer.from(value) };
}

export async function put(store: Store, key: string, value: string): Promise<number> {
  const result = await store.commit([write(key, value)]);
  assert.ok(result.ok);
  return result.revision;
}

export function text(value: Uint8Array | undefined): string {
  return value === undefined ? "" : Buffer.from(value).toString();
}

function follow(store: Store, prefix: string, since: number) {
  const events: StoreEvent[] = [];
  const ends: string[] = [];
  let wake = () => {};
  let finish = () => {};
  const ended = new Promise<void>((resolve) => (finish = resolve));
  const stop = store.watch(prefix, since, {
    event(event) {
      events.push(event);
      wake();
    },
    end(reason) {
      ends.push(reason);
      finish();
      wake();
    },
  });
  const until = async (count: number) => {
    while (events.length < count) {
      assert.deepEqual(ends, [], "the watch ended");
      await new Promise<void>((resolve) => (wake = resolve));
    }
    return events;
  };
  return { events, ends, ended, until, stop };
}
