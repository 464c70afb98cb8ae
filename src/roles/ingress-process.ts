import { chownSync, closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { systemClock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { ProcessError, startDataplaneProcess, type DataplaneProcess } from "#dataplane/process/start.ts";
import { ListenError, type ListenerSpec } from "#dataplane/running.ts";
import type { edgeOptions } from "#ingress/edge.ts";
import type { IngressDataplane } from "#ingress/running.ts";
import type { CheckedIngress, IngressRoleOptions } from "./ingress-options.ts";
import { RoleError, type Report } from "./report.ts";
import { dataplaneProgram, workerUrl } from "./worker-url.ts";

export interface LateServing {
  /** What the controller hands its tables to; the first one starts what serves. */
  readonly dataplane: IngressDataplane;
  /** Rejects with `RoleError` when it cannot be started. */
  readonly started: Promise<DataplaneProcess>;
  stop(): Promise<void>;
}

/**
 * What serves, started by its first table: whoever connects before the cluster has been read would hear that there is
 * nothing, so nobody can until it has. Throws `RoleError` where the access log cannot be written.
 */
export function startServingLate({
  options,
  account,
  edge,
  log,
}: {
  readonly options: IngressRoleOptions;
  readonly account: CheckedIngress["account"];
  readonly edge: ReturnType<typeof edgeOptions>;
  readonly log: Log;
}): LateServing {
  const accessLog = accessLogOf(options, account);
  const { promise: started, resolve, reject } = Promise.withResolvers<DataplaneProcess>();
  started.catch(() => {});
  let running: DataplaneProcess | undefined;
  let first: Promise<DataplaneProcess> | undefined;
  return {
    dataplane: {
      async apply(table) {
        if (running !== undefined) return running.apply(table);
        first ??= startDataplaneProcess({
          listeners: listenersOf(options),
          workers: Math.min(4, availableParallelism()),
          program: dataplaneProgram(),
          workerUrl: workerUrl("http"),
          account,
          table,
          log,
          clock: systemClock,
          ...edge,
          ...(accessLog === undefined ? {} : { accessLog }),
        });
        try {
          running = await first;
          resolve(running);
        } catch (error) {
          // The start has failed, and with it all of this.
          reject(startError(error, options));
          throw error;
        }
      },
      refusedStreams: () => running?.refusedStreams() ?? new Map(),
    },
    started,
    async stop() {
      const last = await first?.catch(() => undefined);
      await last?.stop({ drainMs: 0 });
    },
  };
}

/** Every address of IPv4, and of IPv6 where this machine speaks it. */
function listenersOf({ httpPort, httpsPort }: IngressRoleOptions): ListenerSpec[] {
  return ["0.0.0.0", ...(speaksIPv6() ? ["::"] : [])].flatMap((host) => [
    { host, port: httpPort, tls: false },
    { host, port: httpsPort, tls: true },
  ]);
}

function speaksIPv6(): boolean {
  try {
    return readFileSync("/proc/net/if_inet6", "utf8") !== "";
  } catch {
    return false;
  }
}

/** The file is there, and belongs to whoever writes into it. */
function accessLogOf(
  { accessLog: path, accessLogFormat: format }: IngressRoleOptions,
  { uid, gid }: CheckedIngress["account"],
): { path: string; format: "line" | "json" } | undefined {
  if (path === undefined) return undefined;
  try {
    if (path !== "-") {
      closeSync(openSync(path, "a", 0o640));
      if (process.getuid?.() === 0) chownSync(path, uid, gid);
    }
    return { path, format };
  } catch (error) {
    throw new RoleError(`the access log cannot be written: ${(error as Error).message}`);
  }
}

function startError(error: unknown, { runAs }: IngressRoleOptions): unknown {
  if (error instanceof ListenError) {
    const { host, port } = error.listener;
    if (error.code !== "EACCES") return new RoleError(error.message, "--http-port and --https-port choose others");
    return new RoleError(
      `${host}:${port}: this user may not listen there`,
      "run as root (what serves gives up all rights but that to ports), or take ports from 1024 up: --http-port 8080 --https-port 8443",
    );
  }
  if (!(error instanceof ProcessError)) return error;
  return new RoleError(
    error.message,
    `what serves runs as ${runAs} and has to be able to read ${process.execPath} and ${dataplaneProgram().pathname}; --run-as names another account`,
  );
}

/** Linux 5.14: connections that wait at a socket that closes move to another one of its port. */
const migrate = "/proc/sys/net/ipv4/tcp_migrate_req";

/** Sees to it that no connection is lost that nobody has taken yet when a process leaves. */
export function moveWaiting(report: Report): void {
  try {
    if (readFileSync(migrate, "utf8").trim() === "1") return;
    writeFileSync(migrate, "1\n");
  } catch (error) {
    report({
      type: "warning",
      text:
        `net.ipv4.tcp_migrate_req is off and cannot be turned on (${(error as NodeJS.ErrnoException).code}): ` +
        "a client that connects in the moment of the change may be reset, and has to connect again",
    });
  }
}
