import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { Etcd3, isRecoverableError, type IOptions, type KVClient, type WatchClient } from "etcd3";
import { StoreError } from "../error.ts";

export interface EtcdServers {
  /** `http://` or `https://`, host and port; members of one etcd. */
  readonly servers: readonly string[];
  /** In PEM: whom to trust (the well-known authorities, when absent), and how to show who we are. For `https://`. */
  readonly tls?: {
    readonly ca?: Buffer | undefined;
    readonly certificate?: Buffer | undefined;
    readonly key?: Buffer | undefined;
  };
}

export interface EtcdConnection {
  /** For errors: the servers' names. */
  readonly name: string;
  /** A call that may be made again: on a failure of the connection other members are asked. Rejects with `StoreError`. */
  read<T>(call: (kv: KVClient) => Promise<T>): Promise<T>;
  /** A call that is made once. It is made again only where it never left this machine. Rejects with `StoreError`. */
  write<T>(call: (kv: KVClient) => Promise<T>): Promise<T>;
  watch(): Promise<WatchStream>;
  close(): void;
}

/** The longest that one call may take; upstream's API server gives etcd as long before it reports a failure. */
const callLimitMs = 5000;
const readAttempts = 4;

export type WatchStream = Awaited<ReturnType<WatchClient["watch"]>>;

/** Ends a stream of this side's own will, which is no failure of the member that serves it. */
export function leave(stream: WatchStream): void {
  stream.end();
  stream.cancel();
}

type Policy = NonNullable<NonNullable<IOptions["faultHandling"]>["global"]>;

/** The client's own repetitions would repeat writes whose answer was lost. */
const once = { execute: async (work: (context: object) => unknown) => work({}) } as unknown as Policy;

/** Prepares the connection; nothing is sent before the first call. */
export function createConnection({ servers, tls }: EtcdServers): EtcdConnection {
  const name = servers.join(",");
  const hosts = servers.filter((server) => server.startsWith("https:")).map((server) => hostOf(server));
  const byAddress = hosts.some((host) => isIP(host) !== 0);
  const client = new Etcd3({
    hosts: [...servers],
    ...(servers.some((server) => server.startsWith("https:")) && {
      // The client's types know no default for whom to trust; gRPC has one.
      credentials: { rootCertificate: tls?.ca as Buffer, certChain: tls?.certificate, privateKey: tls?.key },
    }),
    // gRPC takes a deadline as a point in wall-clock time.
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: Date.now() + callLimitMs }),
    grpcOptions: {
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
      // A member that is gone without a word is noticed; etcd allows a ping each 5 s.
      "grpc.keepalive_time_ms": 10_000,
      "grpc.keepalive_timeout_ms": 5000,
      ...(byAddress && { "grpc.ssl_target_name_override": unnamed }),
    },
    // Of several members, one that fails thrice is left out for 5 s; a single one is always tried.
    faultHandling: { global: once, ...(servers.length === 1 ? { host: () => once } : {}) },
  });

  if (byAddress) checkAgainst(client, hosts);

  async function attempt<T>(work: () => Promise<T>, again: (error: Error) => boolean): Promise<T> {
    for (let left = readAttempts - 1; ; left -= 1) {
      try {
        return await work();
      } catch (error) {
        if (left === 0 || !again(error as Error)) throw callError(name, error as Error);
      }
    }
  }

  return {
    name,
    read: (call) => attempt(() => call(client.kv), isRecoverableError),
    write: (call) => attempt(() => call(client.kv), wasNotSent),
    watch: () => client.watchClient.watch(),
    close: () => client.close(),
  };
}

/** What is said to TLS as the server's name, where members are named by address. */
const unnamed = "etcd";

function hostOf(server: string): string {
  return new URL(server).hostname.replace(/^\[|\]$/g, "");
}

/**
 * gRPC hands an IP address to TLS as the server's name, which Node 26 refuses (RFC 6066 allows none there). Another name
 * is said instead, and the certificate is held here against the members as they were named; it must be that of one.
 */
function checkAgainst(client: Etcd3, hosts: readonly string[]): void {
  const { pool } = client as unknown as { pool: { hosts: { channelCredentials: { verifyOptions: VerifyOptions } }[] } };
  for (const { channelCredentials } of pool.hosts) {
    channelCredentials.verifyOptions.checkServerIdentity = (_name, certificate) => {
      const problems = hosts.map((host) => checkServerIdentity(host, certificate));
      return problems.every((problem) => problem !== undefined) ? problems[0] : undefined;
    };
  }
}

interface VerifyOptions {
  checkServerIdentity?: (name: string, certificate: PeerCertificate) => Error | undefined;
}

/** The channel never came to be: what was to be said was not heard by anybody. */
function wasNotSent({ message }: Error): boolean {
  return message.includes("No connection established");
}

/** What a failed call means to the one who asked. etcd's own words are in its `api/v3rpc/rpctypes/error.go`. */
function callError(name: string, error: Error): StoreError {
  const { message } = error;
  const has = (text: string) => message.includes(text);
  if (has("request is too large") || has("message larger than max")) {
    const text = `etcd at ${name} refuses a change of this size: store less in one object, or raise etcd's --max-request-bytes`;
    return new StoreError("too-large", text, error);
  }
  if (has("database space exceeded")) {
    const text = `etcd at ${name} is full, the change was not made: compact and defragment it, then etcdctl alarm disarm`;
    return new StoreError("full", text, error);
  }
  if (has("permission denied")) {
    return new StoreError("io", `etcd at ${name} denies its keys to this client: check its role`, error);
  }
  if (has("the client was already closed")) return new StoreError("closed", "the store is closed", error);
  if (isRecoverableError(error) || has("circuit")) {
    return new StoreError("unreachable", `etcd at ${name} does not answer (${message}): is it running?`, error);
  }
  return new StoreError("io", `etcd at ${name} refused a call (${message})`, error);
}
