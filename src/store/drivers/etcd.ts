import type { ICompare, IRangeResponse, IRequestOp, ITxnResponse } from "etcd3";
import { systemClock, type Clock } from "#base/clock.ts";
import {
  CompactedError,
  type Entry,
  type Expectation,
  type Page,
  type Range,
  type Store,
  type Write,
} from "../contract.ts";
import { StoreError } from "../error.ts";
import { createConnection, leave, type EtcdConnection, type EtcdServers } from "./etcd-connection.ts";
import { entryOf, firstKey, rangeOf } from "./etcd-entry.ts";
import { followEtcd, type Follower } from "./etcd-follow.ts";

export interface EtcdOptions extends EtcdServers {
  clock?: Clock;
}

/** etcd's `--max-txn-ops`, unless it is told otherwise. */
const commitLimit = 128;

/** A list without a limit is read in pages of so many, so that no message becomes huge. */
const pageSize = 1000;

/**
 * A store in an etcd (3.4 or newer) that others may use too. Keys are etcd's keys and revisions etcd's revisions, as
 * upstream's API server has them. Rejects with `StoreError` when etcd cannot be reached.
 */
export async function openEtcdStore({ clock = systemClock, ...servers }: EtcdOptions): Promise<Store> {
  const connection = createConnection(servers);
  const followers = new Set<Follower>();
  let closed = false;

  const currentRevision = shared(async () => {
    const probe = { key: Buffer.from("fairlead"), count_only: true };
    return Number((await connection.read((kv) => kv.range(probe))).header.revision);
  });

  try {
    await currentRevision();
  } catch (error) {
    connection.close();
    throw error;
  }

  async function commit(writes: readonly Write[]) {
    if (closed) throw new StoreError("closed", "the store is closed");
    const answer = await connection.write((kv) => kv.txn(transactionOf(writes)));
    if (!answer.succeeded) return refusalOf(writes, answer);
    const revision = Number(answer.header.revision);
    const changed = writes.filter((_, index) => answer.responses[index]?.response_delete_range?.deleted !== "0");
    const concerned = [...followers].filter(({ prefix }) => changed.some(({ key }) => key.startsWith(prefix)));
    await Promise.all(concerned.map((follower) => follower.reached(revision)));
    return { ok: true, revision } as const;
  }

  return {
    isShared: true,
    commitLimit,
    async revision() {
      const revision = await currentRevision();
      // Nobody waits here, but a stream that is behind is noticed.
      for (const follower of followers) void follower.reached(revision);
      return revision;
    },
    async get(key, atRevision) {
      const answer = await rangeAt(connection, { key: Buffer.from(key) }, firstAtLeast(atRevision));
      return answer.kvs[0] && entryOf(answer.kvs[0]);
    },
    list: (range) => listAll(connection, range),
    commit,
    watch(prefix, since, sink) {
      if (closed) {
        queueMicrotask(() => sink.end("closed"));
        return () => {};
      }
      const follower = followEtcd(
        connection,
        { prefix, since, clock },
        {
          event: (event) => sink.event(event),
          progress: (revision) => sink.progress?.(revision),
          end(reason, error) {
            followers.delete(follower);
            sink.end(reason, error);
          },
        },
      );
      followers.add(follower);
      return () => {
        followers.delete(follower);
        follower.stop();
      };
    },
    async compact(revision) {
      const upTo = Math.min(revision, await currentRevision());
      try {
        await connection.write((kv) => kv.compact({ revision: String(upTo) }));
      } catch (error) {
        // Another server was first.
        if (!saysCompacted(error)) throw error;
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      for (const follower of followers) follower.end("closed");
      connection.close();
    },
  };
}

/**
 * One question at a time for all who ask at once. Who comes while one is under way gets the answer of the next: the
 * answer may be older than what they know of.
 */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const begin = () => {
    const asked = ask().finally(() => (running = undefined));
    running = asked;
    return asked;
  };
  return () => {
    if (running === undefined) return begin();
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return begin();
      });
    return next;
  };
}

function transactionOf(writes: readonly Write[]) {
  const conditions = writes.flatMap(({ key, expect }): ICompare[] =>
    expect === undefined
      ? []
      : [{ key: Buffer.from(key), target: "Mod", result: "Equal", mod_revision: String(modOf(expect)) }],
  );
  return {
    compare: conditions,
    success: writes.map((write): IRequestOp => {
      const key = Buffer.from(write.key);
      if (write.type === "delete") return { request_delete_range: { key } };
      return { request_put: { key, value: Buffer.from(write.value) } };
    }),
    failure: conditions.map(({ key }): IRequestOp => ({ request_range: { key } })),
  };
}

/** What is not there has mod revision 0 in etcd. */
function modOf(expect: Expectation): number {
  return expect === "absent" ? 0 : expect;
}

/** The first expectation that did not hold when the transaction was tried. */
function refusalOf(writes: readonly Write[], { responses }: ITxnResponse) {
  const conditions = writes.filter(({ expect }) => expect !== undefined);
  for (const [index, { key, expect }] of conditions.entries()) {
    const found = responses[index]?.response_range?.kvs[0];
    const current = found && entryOf(found);
    if ((current?.modRevision ?? 0) !== modOf(expect as Expectation)) return { ok: false, key, current } as const;
  }
  throw new StoreError("io", "etcd refused a transaction whose conditions hold");
}

async function listAll(
  connection: EtcdConnection,
  { prefix, after, limit = Infinity, atRevision }: Range,
): Promise<Page> {
  const entries: Entry[] = [];
  let revision = firstAtLeast(atRevision);
  let from = after;
  for (;;) {
    const asked = Math.min(pageSize, limit - entries.length);
    const answer = await rangeAt(connection, { ...rangeOf(prefix, from), limit: String(asked) }, revision);
    revision = Math.min(revision ?? Infinity, Number(answer.header.revision));
    for (const found of answer.kvs) entries.push(entryOf(found));
    const remaining = Number(answer.count) - answer.kvs.length;
    if (remaining === 0 || entries.length >= limit) return { entries, revision, remaining };
    from = entries.at(-1)?.key;
  }
}

/** 0 means "now" to etcd; nothing was there at its first revision either. */
function firstAtLeast(revision: number | undefined): number | undefined {
  return revision === undefined ? undefined : Math.max(1, revision);
}

/** A range as it was at a revision; now, for one that is to come. Rejects with `CompactedError`. */
async function rangeAt(
  connection: EtcdConnection,
  range: { key: Buffer; range_end?: Buffer; limit?: string },
  atRevision: number | undefined,
): Promise<IRangeResponse> {
  const revision = atRevision === undefined ? {} : { revision: String(atRevision) };
  try {
    return await connection.read((kv) => kv.range({ ...range, ...revision }));
  } catch (error) {
    if (saysCompacted(error)) throw new CompactedError(atRevision ?? 0, await compactedUpTo(connection));
    if (!says(error, "required revision is a future revision")) throw error;
    return connection.read((kv) => kv.range(range));
  }
}

/** etcd tells its compaction point only to a watch that asks for what is older. */
async function compactedUpTo(connection: EtcdConnection): Promise<number> {
  const stream = await connection.watch();
  try {
    return await new Promise((resolve, reject) => {
      stream.on("data", ({ canceled, compact_revision: oldest }) => {
        if (canceled) resolve(Number(oldest));
      });
      stream.on("error", reject);
      stream.on("end", () => reject(new StoreError("unreachable", `etcd at ${connection.name} ended a watch`)));
      stream.write({ create_request: { key: firstKey, start_revision: "1" } });
    });
  } finally {
    leave(stream);
  }
}

function saysCompacted(error: unknown): boolean {
  return says(error, "required revision has been compacted");
}

function says(error: unknown, text: string): boolean {
  return error instanceof StoreError && (error.cause as Error | undefined)?.message.includes(text) === true;
}
