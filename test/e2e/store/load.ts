import assert from "node:assert/strict";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import { isApiError } from "#api/meta/status.ts";
import { delay, systemClock } from "#base/clock.ts";
import type { RemoteClient } from "#client/remote.ts";
import type { Store } from "#store/contract.ts";

/** The client to use now: servers come and go. */
export type Now = () => RemoteClient;

/** What the writers were told. */
export interface Acknowledged {
  /** Not deleted since, by revision. */
  readonly created: Map<string, number>;
  readonly deleted: Set<string>;
  increments: number;
  /** Requests whose outcome the writer was not told. */
  unknown: number;
  total: number;
}

export interface Load {
  readonly told: Acknowledged;
  /** Resolves when so many more writes were acknowledged; rejects when a writer was told what cannot be. */
  more(count: number): Promise<void>;
  /** Ends the writers after what they are about. */
  stop(): Promise<void>;
}

export const namespace = "n";
/** How long a client waits that found no server. */
const againMs = 20;

/** The namespace and the counter that the writers share. Answers the revision everything comes after. */
export async function prepareLoad(client: RemoteClient): Promise<number> {
  await client.create("Namespace", { metadata: { name: namespace } });
  const counter = { metadata: { name: "counter", namespace }, data: { value: "0" } };
  return Number((await client.create("ConfigMap", counter)).metadata.resourceVersion);
}

/** One writer a client: each creates, counts and deletes ConfigMaps, one request after another, until it is stopped. */
export function startLoad(clients: readonly Now[]): Load {
  const told: Acknowledged = { created: new Map(), deleted: new Set(), increments: 0, unknown: 0, total: 0 };
  let over = false;
  let wake = () => {};

  async function write(client: Now, index: number): Promise<void> {
    let newest = 0;
    const acknowledge = (revision: string | undefined) => {
      told.total += 1;
      // One writer's answers never go back, whichever server and whatever happened to it.
      assert.ok(Number(revision) > newest, `revision ${revision} after ${newest}`);
      newest = Number(revision);
      wake();
      return newest;
    };
    for (let turn = 0; !over; turn += 1) {
      const name = `w${index}-${turn}`;
      try {
        const made = await client().create("ConfigMap", {
          metadata: { name, namespace },
          data: { turn: String(turn) },
        });
        told.created.set(name, acknowledge(made.metadata.resourceVersion));
        // Read your write, by whichever server.
        const read = await client().get("ConfigMap", { name, namespace });
        assert.equal(read?.metadata.resourceVersion, made.metadata.resourceVersion);
        acknowledge((await increment(client())).metadata.resourceVersion);
        told.increments += 1;
        if (turn % 3 !== 0) continue;
        // Until it is acknowledged, it may or may not have happened.
        told.created.delete(name);
        await client().delete("ConfigMap", { name, namespace });
        told.deleted.add(name);
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        assert.ok(!isApiError(error, "AlreadyExists", "NotFound", "Expired"), String(error));
        told.unknown += 1;
        await delay(systemClock, againMs);
      }
    }
  }

  const running = Promise.all(clients.map((client, index) => write(client, index)));
  // Told by whoever waits next.
  running.catch(() => wake());
  return {
    told,
    async more(count) {
      const goal = told.total + count;
      while (told.total < goal) await Promise.race([running, new Promise<void>((resolve) => (wake = resolve))]);
    },
    async stop() {
      over = true;
      await running;
    },
  };
}

async function increment(client: RemoteClient): Promise<ConfigMap> {
  for (;;) {
    const before = await client.get("ConfigMap", { name: "counter", namespace });
    assert.ok(before !== undefined);
    try {
      const data = { value: String(Number(before.data?.["value"]) + 1) };
      return await client.update("ConfigMap", { ...before, data });
    } catch (error) {
      if (!isApiError(error, "Conflict")) throw error;
    }
  }
}

/** A list as it is told: which ConfigMap at which revision, and the revision of the whole. */
export interface Shown {
  readonly revision: number;
  readonly items: ReadonlyMap<string, number>;
  readonly counter: number;
}

export async function show(client: RemoteClient): Promise<Shown> {
  const list = await client.list("ConfigMap", { namespace });
  const items = list.items.map(({ metadata }) => [metadata.name, Number(metadata.resourceVersion)] as const);
  const counter = list.items.find(({ metadata }) => metadata.name === "counter")?.data?.["value"];
  return { revision: Number(list.resourceVersion), items: new Map(items), counter: Number(counter) };
}

/** Everything that was acknowledged is there, and nothing that was not tried. */
export function assertNothingLost({ items, counter }: Shown, told: Acknowledged): void {
  for (const [name, revision] of told.created) {
    assert.equal(items.get(name), revision, `the acknowledged ConfigMap ${name}`);
  }
  for (const name of told.deleted) assert.equal(items.get(name), undefined, `the deleted ConfigMap ${name}`);
  assert.ok(counter >= told.increments, `${counter} of ${told.increments} acknowledged increments`);
  assert.ok(counter <= told.increments + told.unknown, `${counter} increments, ${told.increments} acknowledged`);
}

/** One change of the history: `12 ADDED w1-3`. */
export type Told = string;

const toldOf = (revision: number, type: string, name: string): Told => `${revision} ${type} ${name}`;
const revisionOf = (told: Told) => Number(told.slice(0, told.indexOf(" ")));

/** The changes of the ConfigMaps after a revision as the store itself tells them: it is the witness. */
export async function historyOf(store: Store, since: number): Promise<Told[]> {
  const prefix = `/registry/configmaps/${namespace}/`;
  const until = await store.revision();
  const history: Told[] = [];
  if (until <= since) return history;
  await new Promise<void>((resolve, reject) => {
    store.watch(prefix, since, {
      event({ type, key, revision, previous }) {
        const word = type === "delete" ? "DELETED" : previous === undefined ? "ADDED" : "MODIFIED";
        history.push(toldOf(revision, word, key.slice(prefix.length)));
      },
      progress: (revision) => revision >= until && resolve(),
      end: (reason, error) => reject(error ?? new Error(reason)),
    });
  });
  return history;
}

/** What a watcher knew from one list on: what the list showed, and all changes it was told after it. */
interface Stretch {
  readonly from: Shown | { readonly revision: number };
  readonly told: Told[];
}

export interface Follower {
  readonly stretches: readonly Stretch[];
  /** Resolves when it knows of everything up to this revision. */
  reached(revision: number): Promise<void>;
  /** Not watching for a while; then it resumes where it was. */
  sleep(): void;
  wakeUp(): void;
  stop(): void;
}

/** Watches the ConfigMaps: it resumes from the last revision it was told, and lists anew when it is told 410. */
export function startFollower(client: Now, since: number): Follower {
  const stretches: Stretch[] = [{ from: { revision: since }, told: [] }];
  let last = since;
  let over = false;
  let asleep = false;
  let stopWatch = () => {};
  let wake = () => {};
  let failed: Error | undefined;

  const again = (next: () => void) => systemClock.after(againMs, () => !over && !asleep && next());

  function open(): void {
    stopWatch = client().watch(
      "ConfigMap",
      { namespace, since: String(last) },
      {
        event({ type, object: { metadata } }) {
          const revision = Number(metadata.resourceVersion);
          if (revision <= last) failed ??= new Error(`told of revision ${revision} after ${last}`);
          last = revision;
          stretches.at(-1)?.told.push(toldOf(revision, type, metadata.name));
          wake();
        },
        end({ reason }) {
          if (!over && !asleep) again(reason === "expired" ? listAnew : open);
        },
      },
    );
  }

  function listAnew(): void {
    show(client()).then(
      (shown) => {
        if (shown.revision < last) failed ??= new Error(`a list at ${shown.revision} after ${last}`);
        last = shown.revision;
        stretches.push({ from: shown, told: [] });
        wake();
        open();
      },
      () => again(listAnew),
    );
  }

  open();
  return {
    stretches,
    async reached(revision) {
      while (last < revision && failed === undefined) await new Promise<void>((resolve) => (wake = resolve));
      if (failed !== undefined) throw failed;
    },
    sleep() {
      asleep = true;
      stopWatch();
    },
    wakeUp() {
      asleep = false;
      open();
    },
    stop() {
      over = true;
      stopWatch();
    },
  };
}

/** Each stretch is the history itself, each change once and in order; and each list is what the history comes to. */
export function assertNoGap({ stretches }: Follower, history: readonly Told[]): void {
  for (const { from, told } of stretches) {
    const last = told.length === 0 ? from.revision : revisionOf(told.at(-1) as Told);
    const meant = history.filter((change) => revisionOf(change) > from.revision && revisionOf(change) <= last);
    assert.deepEqual(told, meant);
    if ("items" in from) assert.deepEqual([...from.items].sort(), [...replay(history, from.revision)].sort());
  }
}

/** Which ConfigMap is there at which revision, by what the history says up to `until`. */
function replay(history: readonly Told[], until: number): ReadonlyMap<string, number> {
  const items = new Map<string, number>();
  for (const change of history) {
    const [revision, type, name = ""] = change.split(" ");
    if (Number(revision) > until) break;
    if (type === "DELETED") items.delete(name);
    else items.set(name, Number(revision));
  }
  return items;
}
