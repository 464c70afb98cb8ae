/**
 * A revisioned key-value log: what the API server keeps its objects in. One revision counter for all keys; each commit
 * takes the next one. Drivers stand in `drivers/`; `test/conformance/store/` runs one suite on each. The words are
 * etcd's (mod revision, compaction), since etcd is one of the drivers.
 */
export interface Store {
  /**
   * Whether other processes write to the same data. Then what a watch has told may be behind, and a read that has to be
   * the newest asks for `revision` and waits until the watch has come so far.
   */
  readonly isShared: boolean;
  /** How many writes one commit takes at most; any number, when absent. */
  readonly commitLimit?: number;
  /** The revision of the newest commit, whoever made it. An empty store begins at 0, or at 1 where etcd counts. */
  revision(): Promise<number>;
  /** The entry under `key`, now or as it was at `atRevision`; rejects with `CompactedError` when that is gone. */
  get(key: string, atRevision?: number): Promise<Entry | undefined>;
  /** Entries whose key starts with `prefix`, in byte order of the key. */
  list(range: Range): Promise<Page>;
  /**
   * All writes under one new revision, or none. Acknowledged only when durable, and when the watches of this store have
   * told of it. The answer says which expectation failed, with the entry that stood in the way.
   */
  commit(writes: readonly Write[]): Promise<CommitResult>;
  /**
   * Every change under `prefix` after `since`, in revision order, each exactly once; then what comes. `end` is called
   * when the watch cannot go on (`compacted`: `since` is older than the log). The returned function ends it.
   */
  watch(prefix: string, since: number, sink: StoreSink): () => void;
  /** Forgets history before `revision`; current entries stay. */
  compact(revision: number): Promise<void>;
  /**
   * Writes all there is at one moment into one new file, which only its owner may read. Absent where the data is not this
   * process's own: then its keeper has tools for this. Rejects with `StoreError`.
   */
  readonly backup?: (path: string) => Promise<void>;
  /** Resolves when everything acknowledged is on disk and the files are closed. */
  close(): Promise<void>;
}

export interface Entry {
  readonly key: string;
  /** Opaque to the store; never changed in place. */
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
}

export interface Range {
  prefix: string;
  /** Only keys after this one. */
  after?: string;
  limit?: number;
  /** As the store was at this revision; now, when absent. */
  atRevision?: number;
}

export interface Page {
  readonly entries: readonly Entry[];
  /** The revision this page shows; pass it as `atRevision` for the next page. */
  readonly revision: number;
  /** How many more entries of the prefix follow this page. */
  readonly remaining: number;
}

export type Write =
  | { readonly type: "put"; readonly key: string; readonly value: Uint8Array; readonly expect?: Expectation }
  | { readonly type: "delete"; readonly key: string; readonly expect?: Expectation };

/** `absent`: there must be no such key. A number: the entry's mod revision must be this one. */
export type Expectation = "absent" | number;

export type CommitResult =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false; readonly key: string; readonly current: Entry | undefined };

export interface StoreEvent {
  readonly type: "put" | "delete";
  readonly key: string;
  readonly revision: number;
  /** The entry after a put. */
  readonly entry?: Entry;
  /** The entry before, when there was one. */
  readonly previous?: Entry;
}

export interface StoreSink {
  event(event: StoreEvent): void;
  /** Everything under the prefix up to this revision has been told; what comes is newer. */
  progress?(revision: number): void;
  end(reason: "compacted" | "closed" | "failed", error?: Error): void;
}

/** The history asked for has been compacted away. */
export class CompactedError extends Error {
  override readonly name = "CompactedError";
  readonly asked: number;
  readonly oldest: number;

  constructor(asked: number, oldest: number) {
    super(`revision ${asked} has been compacted; the oldest kept is ${oldest}`);
    this.asked = asked;
    this.oldest = oldest;
  }
}
