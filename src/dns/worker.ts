import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { systemClock } from "#base/clock.ts";
import { freeMemory } from "#base/free-memory.ts";
import { logTo } from "#base/log-to.ts";
import type { PackedDiff } from "./entry.ts";
import type { FromWorker, ToWorker, WorkerData } from "./link.ts";
import { createDnsServer } from "./server.ts";

/** The thread that answers: it receives differences of names and holds no API object and no credential. */
function serveParent(port: MessagePort, { settings }: WorkerData): void {
  const say = (message: FromWorker) => port.postMessage(message);
  const log = logTo((level, fields, message) => say({ tell: "log", level, fields, message }));
  const server = createDnsServer(settings, { log, clock: systemClock });

  /** The first difference: that it comes in parts, or has come. */
  let first: "parts" | "over" | undefined;

  async function act(message: ToWorker): Promise<void> {
    if (message.tell === "upstreams") return server.setUpstreams(message.upstreams);
    const { request } = message;
    try {
      if (message.tell === "diff") {
        await applyDiff(message.diff);
        say({ tell: "ok", request });
      } else if (message.tell === "listen") {
        const { at, exclusive } = message;
        say({ tell: "ok", request, value: await server.listen(at, { exclusive }) });
      } else if (message.tell === "configure") {
        server.configure(message.settings);
        if (message.diff !== undefined) await applyDiff(message.diff);
        say({ tell: "ok", request });
      } else if (message.tell === "counters") say({ tell: "ok", request, value: server.counters() });
      else {
        await server.stop();
        say({ tell: "ok", request });
        port.close();
      }
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      say({ tell: "failed", request, message, ...(code !== undefined && { code }) });
    }
  }

  async function applyDiff(diff: PackedDiff): Promise<void> {
    server.apply(diff);
    if (diff.more) {
      first ??= "parts";
      return;
    }
    say({ tell: "applied", revision: diff.revision });
    const wasLarge = first === "parts";
    first = "over";
    // What unpacking all names left behind is more than they are. Never again: it holds answers up.
    if (wasLarge) await freeMemory();
  }

  port.on("message", (message: ToWorker) => void act(message));
}

if (parentPort !== null) serveParent(parentPort, workerData as WorkerData);
