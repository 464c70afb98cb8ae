import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "#base/clock.ts";
import { logTo } from "#base/log-to.ts";
import { placeOf, type CounterPage, type CounterSlot } from "./counters.ts";
import { startEngine } from "./engine.ts";
import type { FromWorker, ToWorker, WorkerData } from "./messages.ts";
import { ListenError } from "./running.ts";

// One worker thread of the data plane: an engine that is told what to do by messages.
const port = parentPort;
if (port === null) throw new Error("dataplane/worker.ts runs as a worker thread only");
const post = (message: FromWorker) => port.postMessage(message);

const data = workerData as WorkerData;
let pages: readonly CounterPage[] = data.pages;
let { slots }: { slots: ReadonlyMap<string, number> } = data.first;

function slotAt(slot: number): CounterSlot {
  const { page, offset } = placeOf(slot);
  const values = pages[page];
  if (values === undefined) throw new Error(`counter slot ${slot} lies on a page that never came`);
  return { page: values, offset };
}

try {
  const engine = await startEngine({
    listeners: data.listeners,
    shared: true,
    worker: data.worker,
    limits: data.limits,
    trustedProxies: data.trustedProxies,
    nameServers: data.nameServers,
    proxyProtocol: data.proxyProtocol,
    tls: data.tls,
    http2: data.http2,
    transport: data.transport,
    ticketKeys: Buffer.from(data.ticketKeys),
    meter: data.meter,
    accessLog: data.accessLog,
    sampling: data.sampling,
    passSpans: (spans, dropped) => post({ type: "spans", spans, dropped }),
    total: slotAt(0),
    slotOf: (id) => slotAt(slots.get(id) ?? 0),
    first: data.first.change,
    clock: systemClock,
    log: logTo((level, fields, message) => post({ type: "log", level, fields, message })),
  });
  port.on("message", (message: ToWorker) => {
    switch (message.type) {
      case "apply":
        ({ pages } = message);
        ({ slots } = message.numbered);
        void engine.apply(message.numbered.change).then(() => post({ type: "done", id: message.id }));
        break;
      case "look":
        post({ type: "done", id: message.id, seen: { failures: engine.failures(), sample: engine.sample() } });
        break;
      case "stop":
        void engine.stop(message.drainMs).then(() => {
          post({ type: "done", id: message.id });
          port.close();
        });
    }
  });
  post({ type: "ready" });
} catch (error) {
  if (!(error instanceof ListenError)) throw error;
  post({ type: "refused", listener: error.listener, code: error.code });
}
