import { endpointName } from "./pool/endpoint-name.ts";
import type { SlotBook } from "./slots.ts";
import type { BackendEntry, CertificateEntry, HostEntry, StreamEntry, TableChange } from "./table.ts";

/** A change with the counter slots of the entries in it, as a worker gets it. */
export interface NumberedChange {
  readonly change: TableChange;
  readonly slots: ReadonlyMap<string, number>;
  /** The number of the change, for `SlotBook.settle`. */
  readonly number: number;
}

/** The table as the parent remembers it, to give it to a worker that takes a dead one's place. */
export class WholeTable {
  private readonly hosts = new Map<string, HostEntry>();
  private readonly backends = new Map<string, BackendEntry>();
  private readonly certificates = new Map<string, CertificateEntry>();
  private readonly streams = new Map<string, StreamEntry>();
  private defaultCertificate: string | undefined;
  private revision = "";
  private number = 0;
  private readonly book: SlotBook;

  constructor(book: SlotBook) {
    this.book = book;
  }

  /** Takes a change in and numbers its entries. */
  apply(change: TableChange): NumberedChange {
    this.number = this.book.begin();
    for (const [name, entry] of change.hosts) {
      const before = this.hosts.get(name);
      for (const route of entry?.routes ?? []) this.book.acquire(`route ${route.id}`);
      for (const route of before?.routes ?? []) this.book.release(`route ${route.id}`);
      put(this.hosts, name, entry);
    }
    for (const [id, entry] of change.backends) {
      for (const name of endpointSlots(id, entry)) this.book.acquire(name);
      for (const name of endpointSlots(id, this.backends.get(id))) this.book.release(name);
      this.count(this.backends, "backend", id, entry);
    }
    for (const [id, entry] of change.streams ?? []) this.count(this.streams, "stream", id, entry);
    for (const [id, entry] of change.certificates) put(this.certificates, id, entry);
    this.defaultCertificate = change.defaultCertificate ?? this.defaultCertificate;
    this.revision = change.revision;
    return this.numbered(change);
  }

  /** Everything, as one change to an empty table. */
  whole(): NumberedChange {
    return this.numbered({
      hosts: [...this.hosts],
      backends: [...this.backends],
      certificates: [...this.certificates],
      streams: [...this.streams],
      defaultCertificate: this.defaultCertificate,
      revision: this.revision,
    });
  }

  private count<E>(map: Map<string, E>, what: string, id: string, entry: E | undefined): void {
    if (entry !== undefined && !map.has(id)) this.book.acquire(`${what} ${id}`);
    if (entry === undefined && map.has(id)) this.book.release(`${what} ${id}`);
    put(map, id, entry);
  }

  private numbered(change: TableChange): NumberedChange {
    const ids = [
      ...change.hosts.flatMap(([, entry]) => entry?.routes.map((route) => `route ${route.id}`) ?? []),
      ...change.backends.flatMap(([id, entry]) =>
        entry === undefined ? [] : [`backend ${id}`, ...endpointSlots(id, entry)],
      ),
      ...(change.streams ?? []).flatMap(([id, entry]) => (entry === undefined ? [] : [`stream ${id}`])),
    ];
    const { number } = this;
    return { change, number, slots: new Map(ids.map((id) => [id, this.book.slotOf(id)])) };
  }
}

/** What the endpoints of a backend count by. */
function endpointSlots(id: string, entry: BackendEntry | undefined): string[] {
  return entry?.endpoints.map((endpoint) => `endpoint ${id} ${endpointName(endpoint)}`) ?? [];
}

function put<E>(map: Map<string, E>, key: string, entry: E | undefined): void {
  if (entry === undefined) map.delete(key);
  else map.set(key, entry);
}
