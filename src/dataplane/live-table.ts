import type { CounterSlot } from "./counters.ts";
import { Backend } from "./pool/backend.ts";
import type { Endpoint } from "./pool/endpoint.ts";
import { compileHost, type CompiledHost } from "./route.ts";
import type { HostEntry, TableChange } from "./table.ts";
import { Certificates } from "./tls/certificates.ts";
import type { TlsSettings } from "./tls/settings.ts";

export interface LiveTableOptions {
  /** Sets this worker's turns apart from those of others. */
  readonly start: number;
  readonly idleLimit: number;
  /** How many workers share the limits of backends. */
  readonly workers: number;
  readonly slotOf: (id: string) => CounterSlot;
  readonly tls: TlsSettings;
  /** Told of a certificate that cannot be used. */
  readonly badCertificate: (id: string, reason: string) => void;
  /** `Deadlines.now`. */
  readonly now: () => number;
  /** Told of an endpoint that is left out because it kept failing. */
  readonly ejected: (backend: string, endpoint: string, ms: number) => void;
}

/** The table as one worker serves it. */
export class LiveTable {
  readonly hosts = new Map<string, CompiledHost>();
  readonly backends = new Map<string, Backend>();
  readonly certificates: Certificates;
  defaultCertificate: string | undefined;
  /** How many hosts have to be known before TLS begins. */
  namedHosts = 0;
  private readonly options: LiveTableOptions;

  constructor(options: LiveTableOptions) {
    this.options = options;
    this.certificates = new Certificates(options.tls);
  }

  /** Applies a change in one piece: no request sees a part of it. */
  apply(change: TableChange): void {
    for (const [id, entry] of change.certificates) {
      const problem = this.certificates.set(id, entry);
      if (problem !== undefined) this.options.badCertificate(id, problem);
    }
    if (change.defaultCertificate !== undefined) this.defaultCertificate = change.defaultCertificate;
    for (const [id, entry] of change.backends) {
      const known = this.backends.get(id);
      if (entry === undefined) {
        known?.retire();
        this.backends.delete(id);
      } else if (known === undefined) {
        const { start, idleLimit, workers, now, slotOf } = this.options;
        const slot = slotOf(`backend ${id}`);
        const slotOfEndpoint = (name: string) => slotOf(`endpoint ${id} ${name}`);
        const ejected = (endpoint: Endpoint, ms: number) => this.options.ejected(id, endpoint.name, ms);
        const options = { start, idleLimit, workers, slot, slotOfEndpoint, now, ejected };
        this.backends.set(id, new Backend(entry, options));
      } else known.update(entry);
    }
    for (const [name, entry] of change.hosts) {
      this.namedHosts += Number(isNamed(entry)) - Number(isNamed(this.hosts.get(name)?.entry));
      if (entry === undefined) this.hosts.delete(name);
      else this.hosts.set(name, compileHost(entry, this.options.slotOf));
    }
  }

  /** Closes idle connections that waited too long; `idleMs` for those that are shared. */
  expire(now: number, idleMs: number): void {
    for (const backend of this.backends.values()) backend.expire(now, idleMs);
  }

  retire(): void {
    for (const backend of this.backends.values()) backend.retire();
  }
}

function isNamed(entry: HostEntry | undefined): boolean {
  return entry?.passthrough !== undefined || entry?.clientAuth !== undefined || entry?.ciphers !== undefined;
}
