import { systemClock } from "#base/clock.ts";
import { logTo } from "#base/log-to.ts";
import { ListenError, type RunningDataplane } from "../running.ts";
import { startDataplane } from "../workers.ts";
import { protocol, type FromProcess, type ProcessOptions, type ToProcess } from "./messages.ts";

// The data plane as a process of its own: it gets tables from the one that started it, and has nothing else.
const post = (message: FromProcess) => {
  if (process.connected) process.send?.(message, () => {});
};
/** How long requests may go on when nobody is left to say it. */
const orphanDrainMs = 30_000;

let running: RunningDataplane | undefined;

async function start({ sampling, ...options }: ProcessOptions): Promise<void> {
  const workerUrl = process.env["FAIRLEAD_HTTP_WORKER"];
  try {
    running = await startDataplane({
      ...options,
      ...(workerUrl === undefined ? {} : { workerUrl: new URL(workerUrl) }),
      ...(sampling === undefined
        ? {}
        : { tracing: { sampling, export: (spans, dropped) => post({ type: "spans", spans, dropped }) } }),
      clock: systemClock,
      log: logTo((level, fields, message) => post({ type: "log", level, fields, message })),
    });
    post({ type: "listening", addresses: running.addresses });
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    post({ type: "refused", listener: error.listener, code: error.code });
  }
}

async function tell(id: number, plane: RunningDataplane): Promise<void> {
  const look = { counters: plane.counters(), failures: await plane.failures(), sample: await plane.sample() };
  post({ type: "looked", id, look });
}

async function stop(drainMs: number): Promise<void> {
  await running?.stop({ drainMs });
  process.exit(0);
}

process.on("message", (message: ToProcess) => {
  switch (message.type) {
    case "start":
      void start(message.options);
      break;
    case "apply":
      void running?.apply(message.change).then(() => {
        post({ type: "applied", id: message.id, refused: running?.refusedStreams() ?? new Map() });
      });
      break;
    case "look":
      if (running !== undefined) void tell(message.id, running);
      break;
    case "stop":
      void stop(message.drainMs);
  }
});
// Whoever started it is gone: the ports are free for the next one, requests under way are served.
process.on("disconnect", () => void stop(orphanDrainMs));
// Ctrl-C reaches every process of the terminal; the one that started this one says when to go.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
post({ type: "begun", protocol });
