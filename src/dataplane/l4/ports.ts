import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Clock } from "#base/clock.ts";
import { ListenError } from "../running.ts";
import type { StreamEntry, TableChange } from "../table.ts";
import { probePort } from "../transport/listen.ts";
import { lookupAddress } from "./udp-session.ts";

/** How often ports that somebody else has are looked at again. */
const retryMs = 2_000;

export interface StreamPortsOptions {
  readonly host: string;
  readonly clock: Clock;
  /** The streams that have their ports already. */
  readonly taken: readonly string[];
  /** Brings entries into force whose ports have become free. */
  readonly release: (entries: readonly (readonly [id: string, entry: StreamEntry])[]) => void;
}

/**
 * Holds back streams whose port somebody else has: workers share their ports, so that they would succeed beside a foreign
 * listener that shares its own, and take a part of its connections.
 */
export class StreamPorts {
  private readonly options: StreamPortsOptions;
  private readonly taken: Set<string>;
  private readonly held = new Map<string, { readonly entry: StreamEntry; readonly code: string }>();
  private cancel: (() => void) | undefined;
  private stopped = false;

  constructor(options: StreamPortsOptions) {
    this.options = options;
    this.taken = new Set(options.taken);
  }

  /** The change without the streams that have to wait. */
  async admit(change: TableChange): Promise<TableChange> {
    if (change.streams === undefined) return change;
    const streams: (readonly [string, StreamEntry | undefined])[] = [];
    for (const [id, entry] of change.streams) {
      this.held.delete(id);
      if (entry === undefined) this.taken.delete(id);
      else if (!this.taken.has(id)) {
        const code = await this.probe(entry);
        if (code !== undefined) {
          this.held.set(id, { entry, code });
          continue;
        }
        this.taken.add(id);
      }
      streams.push([id, entry]);
    }
    this.lookAgain();
    return { ...change, streams };
  }

  /** The streams that wait, each with the system's word for why. */
  refused(): ReadonlyMap<string, string> {
    return new Map([...this.held].map(([id, { code }]) => [id, code]));
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
  }

  private lookAgain(): void {
    if (this.held.size === 0 || this.stopped) return;
    this.cancel ??= this.options.clock.after(retryMs, () => {
      this.cancel = undefined;
      void this.retry();
    });
  }

  private async retry(): Promise<void> {
    const free: (readonly [string, StreamEntry])[] = [];
    for (const [id, { entry }] of this.held) {
      const code = await this.probe(entry);
      // It may have changed or gone while the port was tried.
      if (code !== undefined || this.stopped || this.held.get(id)?.entry !== entry) continue;
      this.held.delete(id);
      this.taken.add(id);
      free.push([id, entry]);
    }
    if (free.length > 0 && !this.stopped) this.options.release(free);
    this.lookAgain();
  }

  /** Takes the port alone and gives it back; the system's word for why not. */
  private async probe({ protocol, port }: StreamEntry): Promise<string | undefined> {
    const { host } = this.options;
    try {
      await (protocol === "tcp" ? probePort({ host, port, tls: false }) : probeDatagrams(host, port));
      return undefined;
    } catch (error) {
      return error instanceof ListenError ? error.code : ((error as NodeJS.ErrnoException).code ?? "EUNKNOWN");
    }
  }
}

function probeDatagrams(host: string, port: number): Promise<void> {
  const socket = createSocket({ type: isIPv6(host) ? "udp6" : "udp4", lookup: lookupAddress });
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve()));
  });
}
