import { rmSync } from "node:fs";
import http from "node:http";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { PodWorker } from "../pods/worker.ts";
import type { RuntimeService } from "../runtime/contract.ts";

export interface StreamsOptions {
  readonly socketPath: string;
  /** The pod's worker and the runtime that holds its containers. */
  readonly find: (namespace: string, name: string) => { worker: PodWorker; runtime: RuntimeService } | undefined;
  readonly log: Log;
  readonly clock: Clock;
}

/** Serves what the API server asks of a kubelet: logs, commands, and ports of pods. */
export async function startStreams({ socketPath }: StreamsOptions): Promise<{ stop(): Promise<void> }> {
  const server = http.createServer((_request, response) => response.writeHead(404).end("404 page not found\n"));
  rmSync(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, resolve);
  });
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
