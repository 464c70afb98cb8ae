import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CompactedError, type Store, type StoreEvent, type Write } from "#store/contract.ts";
import type { OpenStore } from "../../fakes/stores.ts";

/** The suite every store driver passes. `open` gives a store without keys, at whatever revision it begins. */
export function describeStore(
  name: string,
  open: () => Promise<OpenStore>,
  options: { skip?: string | false } = {},
): void {
  /** `begin` is the revision of the empty store. */
  const within = (promise: string, body: (store: Store, begin: number) => Promise<void>) =>
    void it(promise, options, async () => {
      const { store, dispose } = await open();
      try {
        await body(store, await store.revision());
      } finally {
        await dispose();
      }
    });

  void describe(`the ${name} store`, () => {
    within("starts empty, and shows nothing at revision 0", async (store, begin) => {
      assert.deepEqual(await store.list({ prefix: "" }), { entries: [], revision: begin, remaining: 0 });
      assert.deepEqual((await store.list({ prefix: "", limit: 5 })).entries, []);
      const then = await store.list({ prefix: "", atRevision: 0 });
      assert.deepEqual(then.entries, []);
      // From there a watch comes to now.
      const watch = follow(store, "", then.revision);
      await watch.reached(begin);
      watch.stop();
      assert.equal(await store.get("/none"), undefined);
    });

    within("gives each commit the next revision, shared by its writes", async (store, begin) => {
      assert.equal(await put(store, "/a", "1"), begin + 1);
      const result = await store.commit([write("/b", "1"), write("/c", "1")]);
      assert.deepEqual(result, { ok: true, revision: begin + 2 });
      assert.equal((await store.get("/b"))?.modRevision, begin + 2);
      assert.equal((await store.get("/c"))?.modRevision, begin + 2);
      assert.equal(await store.revision(), begin + 2);
    });

    within("keeps the create revision through updates and renews it after a delete", async (store, begin) => {
      await put(store, "/a", "1");
      await put(store, "/a", "2");
      const { createRevision, modRevision, value } = (await store.get("/a")) ?? {};
      assert.deepEqual([createRevision, modRevision, text(value)], [begin + 1, begin + 2, "2"]);
      await store.commit([{ type: "delete", key: "/a" }]);
      assert.equal(await store.get("/a"), undefined);
      await put(store, "/a", "3");
      assert.equal((await store.get("/a"))?.createRevision, begin + 4);
    });

    within(
      "refuses a commit whose expectation fails, with what stands there, and changes nothing",
      async (store, begin) => {
        await put(store, "/a", "1");
        const refused = await store.commit([write("/b", "1"), { ...write("/a", "2"), expect: "absent" }]);
        assert.equal(refused.ok, false);
        assert.equal(refused.ok ? "" : refused.key, "/a");
        assert.equal(refused.ok ? 0 : refused.current?.modRevision, begin + 1);
        assert.equal(await store.get("/b"), undefined);
        assert.equal(await store.revision(), begin + 1);
        const absent = await store.commit([{ type: "delete", key: "/none", expect: begin + 1 }]);
        assert.deepEqual(absent, { ok: false, key: "/none", current: undefined });
        assert.equal((await store.commit([{ ...write("/a", "2"), expect: begin + 1 }])).ok, true);
      },
    );

    within(
      "makes all writes of one commit under one revision, told in their order, or none of them",
      async (store, begin) => {
        const watch = follow(store, "/", begin);
        const writes = Array.from({ length: store.commitLimit ?? 200 }, (_, index) => write(`/many/${index}`, "1"));
        const absent = writes.map((each): Write => ({ ...each, expect: "absent" }));
        assert.deepEqual(await store.commit(absent), { ok: true, revision: begin + 1 });
        const told = await watch.until(writes.length);
        assert.deepEqual(
          told.map(({ key, revision }) => [key, revision]),
          writes.map(({ key }) => [key, begin + 1]),
        );
        // Whichever part fails, first or last, what is to come, to change or to go.
        const others: Write[] = [
          { ...write("/new", "1"), expect: "absent" },
          { ...write("/many/0", "2"), expect: begin + 1 },
          { type: "delete", key: "/many/1", expect: begin + 1 },
        ];
        const stale: Write = { type: "delete", key: "/many/2", expect: begin };
        for (const commit of [
          [stale, ...others],
          [...others, stale],
        ]) {
          const refused = await store.commit(commit);
          assert.deepEqual([refused.ok, refused.ok ? "" : refused.key], [false, "/many/2"]);
          assert.equal(refused.ok ? 0 : refused.current?.modRevision, begin + 1);
        }
        assert.deepEqual(await store.commit(others), { ok: true, revision: begin + 2 });
        const then = (await watch.until(writes.length + 3)).slice(writes.length);
        assert.deepEqual(
          then.map(({ type, key, revision }) => [type, key, revision]),
          [
            ["put", "/new", begin + 2],
            ["put", "/many/0", begin + 2],
            ["delete", "/many/1", begin + 2],
          ],
        );
        watch.stop();
      },
    );

    within("lets one of several writers at once win", async (store, begin) => {
      await put(store, "/a", "0");
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, index) => store.commit([{ ...write("/a", String(index)), expect: begin + 1 }])),
      );
      assert.equal(results.filter(({ ok }) => ok).length, 1);
      for (const result of results) if (!result.ok) assert.equal(result.current?.modRevision, begin + 2);
    });

    within("pages through a prefix in byte order", async (store, begin) => {
      for (const key of ["/p/b", "/q/x", "/p/a-b", "/p/a/c", "/p/é", "/p/\u{1f600}", "/p/\uffee"])
        await put(store, key, key);
      const all = await store.list({ prefix: "/p/" });
      const sorted = ["/p/a-b", "/p/a/c", "/p/b", "/p/é", "/p/\uffee", "/p/\u{1f600}"];
      assert.deepEqual(
        all.entries.map(({ key }) => key),
        sorted,
      );
      const first = await store.list({ prefix: "/p/", limit: 2 });
      assert.deepEqual([first.entries.length, first.remaining, first.revision], [2, 4, begin + 7]);
      const rest = await store.list({ prefix: "/p/", after: "/p/a/c", atRevision: first.revision });
      assert.deepEqual(
        rest.entries.map(({ key }) => key),
        sorted.slice(2),
      );
    });

    within("shows how things were at an older revision", async (store, begin) => {
      await put(store, "/a", "1");
      await put(store, "/b", "1");
      await put(store, "/a", "2");
      await store.commit([{ type: "delete", key: "/b" }]);
      assert.equal(text((await store.get("/a", begin + 2))?.value), "1");
      assert.equal(text((await store.get("/b", begin + 3))?.value), "1");
      assert.equal(await store.get("/b", begin + 1), undefined);
      assert.equal(text((await store.get("/a", begin + 99))?.value), "2");
      const then = await store.list({ prefix: "/", atRevision: begin + 2 });
      assert.deepEqual(
        then.entries.map(({ key, value }) => `${key}=${text(value)}`),
        ["/a=1", "/b=1"],
      );
      assert.equal(then.revision, begin + 2);
    });

    within("tells a watch of every change after its start, once and in order", async (store, begin) => {
      await put(store, "/a", "1");
      await put(store, "/a", "2");
      const watch = follow(store, "/", begin + 1);
      await put(store, "/b", "1");
      await store.commit([{ type: "delete", key: "/a" }, write("/c", "1")]);
      const events = await watch.until(4);
      assert.deepEqual(
        events.map(
          ({ type, key, revision, previous }) => `${revision - begin} ${type} ${key} ${text(previous?.value)}`,
        ),
        ["2 put /a 1", "3 put /b ", "4 delete /a 2", "4 put /c "],
      );
      watch.stop();
    });

    within("tells a watch of its prefix alone, and nothing once stopped", async (store, begin) => {
      const watch = follow(store, "/x/", begin);
      const witness = follow(store, "/", begin);
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

    within("tells a watch how far it has come, though the changes are of other prefixes", async (store, begin) => {
      const watch = follow(store, "/x/", begin);
      await put(store, "/y/1", "");
      await watch.reached(begin + 1);
      assert.deepEqual(watch.events, []);
      const late = follow(store, "/x/", begin);
      await late.reached(begin + 1);
      watch.stop();
      late.stop();
    });

    within("has told of a commit before it is acknowledged", async (store, begin) => {
      const watch = follow(store, "/", begin);
      await Promise.resolve();
      await put(store, "/a", "1");
      assert.equal(watch.events.length, 1);
      watch.stop();
    });

    within("forgets history when compacted, and says so", async (store, begin) => {
      for (const value of ["1", "2", "3"]) await put(store, "/a", value);
      await store.compact(begin + 2);
      await store.compact(begin + 1);
      const oldest = (error: unknown) => error instanceof CompactedError && error.oldest === begin + 2;
      await assert.rejects(store.get("/a", begin + 1), oldest);
      await assert.rejects(store.list({ prefix: "/", atRevision: begin + 1 }), CompactedError);
      assert.equal(text((await store.get("/a", begin + 2))?.value), "2");
      assert.equal(text((await store.get("/a"))?.value), "3");
      const old = follow(store, "/", begin + 1);
      await old.ended;
      assert.deepEqual(old.ends, ["compacted"]);
      const young = follow(store, "/", begin + 2);
      assert.equal((await young.until(1))[0]?.revision, begin + 3);
      young.stop();
    });

    within("keeps values byte for byte", async (store) => {
      const value = Uint8Array.from({ length: 256 }, (_, index) => index);
      await store.commit([{ type: "put", key: "/bytes", value }]);
      assert.deepEqual([...((await store.get("/bytes"))?.value ?? [])], [...value]);
    });

    within("ends its watches and refuses writes once closed", async (store, begin) => {
      const watch = follow(store, "/", begin);
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
  let progress = since;
  let wake = () => {};
  let finish = () => {};
  const ended = new Promise<void>((resolve) => (finish = resolve));
  const stop = store.watch(prefix, since, {
    event(event) {
      events.push(event);
      wake();
    },
    progress(revision) {
      progress = revision;
      wake();
    },
    end(reason) {
      ends.push(reason);
      finish();
      wake();
    },
  });
  const when = async (holds: () => boolean) => {
    while (!holds()) {
      assert.deepEqual(ends, [], "the watch ended");
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const until = async (count: number) => {
    await when(() => events.length >= count);
    return events;
  };
  const reached = (revision: number) => when(() => progress >= revision);
  return { events, ends, ended, until, reached, stop };
}
