import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { test } from "node:test";
import type { Service } from "#api/core/service/kind.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { createFakeClient } from "#client/fake.ts";
import { parseMessage } from "#wire/dns/message.ts";
import { rcodes } from "#wire/dns/numbers.ts";
import { startDns } from "../../../src/dns/start.ts";
import { queryFor, type At } from "../../fakes/dns-client.ts";
import { namespace, service, slice, zone } from "../../features/dns/fixture.ts";

/** How long: 8 s, or as many as the environment says. */
const seconds = Number(process.env["FAIRLEAD_DNS_CHURN_SECONDS"] ?? 8);
const changesASecond = 1_000;
const services = 300;
const inFlight = 8;
const sockets = 4;
/** A question without an answer for this long is lost. */
const patience = 5_000;

/** What a name stood for from one revision on; `undefined` addresses for a name that is not there. */
interface State {
  readonly revision: number;
  readonly addresses: readonly string[] | undefined;
}

interface Open {
  readonly name: string;
  /** The newest revision that answers were known to show when this was sent. */
  readonly shown: number;
  readonly at: number;
}

/**
 * Objects change a thousand times a second while questions come as fast as they are answered. Each answer must be one
 * that was true at some time between the question and its answer: of a revision not older than what the server had said
 * it shows when the question left, and not newer than the newest when the answer came.
 */
test(`${changesASecond} changes a second: every question is answered, and truly`, async (t) => {
  // Headless Services stay; what changes is their endpoints.
  const headless = Array.from({ length: services }, (_, index) =>
    service(`headless-${index}`, { clusterIP: "None", ports: [{ port: 80 }] }),
  );
  const initial = [namespace("dev"), ...headless];
  const client = createFakeClient(initial);
  const dns = await startDns({
    client,
    listen: [{ address: "127.0.0.1", port: 0 }],
    clusterDomain: zone,
    upstreams: [],
    settings: { workers: 2 },
  });
  try {
    await dns.waitFor(String(initial.length));
    const truth = createTruth(initial.length);
    const asking = ask(dns.addresses[0] as At, truth, () => Number(dns.applied()));
    const changes = await change(client, truth);
    const { answered, lost, wrong, slowest } = await asking.stop();
    t.diagnostic(
      `${changes} changes in ${seconds} s, ${answered} answers, slowest ${slowest.toFixed(0)} ms, ` +
        `${wrong.length} wrong, ${lost} lost`,
    );
    assert.deepEqual(wrong.slice(0, 5), []);
    assert.equal(lost, 0);
    assert.ok(answered > 500 * seconds, `only ${answered} answers`);
    assert.ok(changes > 0.8 * changesASecond * seconds, `only ${changes} changes`);
    const last = truth.newest();
    await dns.waitFor(String(last));
    assert.equal(Number(dns.applied()), last, "everything is shown in the end");
  } finally {
    await dns.stop();
  }
});

interface Truth {
  write(name: string, state: State): void;
  newest(): number;
  names(): readonly string[];
  /** Whether the name stood for this at any revision from `from` to now. */
  held(name: string, from: number, addresses: readonly string[] | undefined): boolean;
  history(name: string): readonly State[];
}

function createTruth(revision: number): Truth {
  const states = new Map<string, State[]>();
  let newest = revision;
  for (let index = 0; index < services; index++) {
    states.set(`cluster-${index}`, [{ revision, addresses: undefined }]);
    states.set(`headless-${index}`, [{ revision, addresses: undefined }]);
  }
  return {
    write(name, state) {
      states.get(name)?.push(state);
      newest = Math.max(newest, state.revision);
    },
    newest: () => newest,
    names: () => [...states.keys()],
    held(name, from, addresses) {
      const all = states.get(name) ?? [];
      const wanted = addresses?.join(" ");
      for (let at = all.length - 1; at >= 0; at--) {
        const state = all[at] as State;
        if (state.addresses?.join(" ") === wanted) return true;
        if (state.revision <= from) return false;
      }
      return false;
    },
    history: (name) => states.get(name) ?? [],
  };
}

/** Changes one object after the other at the rate; resolves with how many, once the time is over. */
async function change(client: ReturnType<typeof createFakeClient>, truth: Truth): Promise<number> {
  const started = performance.now();
  const end = started + seconds * 1000;
  let done = 0;
  for (let now = started; now < end; now = performance.now()) {
    const due = ((now - started) * changesASecond) / 1000;
    while (done < due) {
      done += 1;
      await changeOne(client, truth, done);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return done;
}

async function changeOne(client: ReturnType<typeof createFakeClient>, truth: Truth, turn: number): Promise<void> {
  const index = Math.floor(Math.random() * services);
  const headless = turn % 2 === 0;
  const name = `${headless ? "headless" : "cluster"}-${index}`;
  const kind = headless ? "EndpointSlice" : "Service";
  const key = { namespace: "dev", name };
  const before = truth.history(name).at(-1)?.addresses;
  const revision = truth.newest() + 1;
  // What is going to be true is written down before the first answer can show it.
  if (before !== undefined && Math.random() < 0.3) {
    truth.write(name, { revision, addresses: undefined });
    return client.delete(kind, key);
  }
  const [high, low] = [(turn >> 8) & 255, turn & 255];
  const addresses = headless ? [`10.244.${high}.${low}`, `10.245.${high}.${low}`] : [`10.96.${high}.${low}`];
  const object = headless
    ? slice(name, addresses, name)
    : service(name, { clusterIP: addresses[0], ports: [{ name: "http", port: 80 }] });
  truth.write(name, { revision, addresses });
  const written = await client[before === undefined ? "create" : "update"](kind, object as Service & EndpointSlice);
  assert.equal(written.metadata.resourceVersion, String(revision));
}

/** Asks from several sockets, each with some questions on their way at all times. */
function ask(at: At, truth: Truth, shown: () => number) {
  const names = truth.names();
  const all: { socket: Socket; open: Map<number, Open> }[] = [];
  const wrong: string[] = [];
  let answered = 0;
  let slowest = 0;
  let running = true;

  for (let index = 0; index < sockets; index++) {
    const socket = createSocket("udp4");
    const open = new Map<number, Open>();
    let id = 0;
    const send = () => {
      do id = (id + 1) & 0xffff;
      while (open.has(id));
      const name = names[Math.floor(Math.random() * names.length)] as string;
      open.set(id, { name, shown: shown(), at: performance.now() });
      socket.send(queryFor(`${name}.dev.svc.${zone}`, "A", { id }), at.port, at.address);
    };
    socket.on("message", (packet) => {
      const message = parseMessage(packet);
      const question = open.get(packet.readUInt16BE(0));
      if (message === undefined || question === undefined) {
        wrong.push(`not an answer: ${packet.toString("hex")}`);
        return;
      }
      open.delete(message.id);
      answered += 1;
      slowest = Math.max(slowest, performance.now() - question.at);
      const found =
        message.rcode === rcodes.NXDOMAIN ? undefined : message.answers.map(({ data }) => [...data].join(".")).sort();
      if (!truth.held(question.name, question.shown, found)) {
        const history = truth.history(question.name).slice(-5);
        wrong.push(
          `${question.name}: ${String(found)} (code ${message.rcode}) since ${question.shown}: ${JSON.stringify(history)}`,
        );
      }
      if (running) send();
    });
    socket.bind(0, "127.0.0.1", () => {
      for (let count = 0; count < inFlight; count++) send();
    });
    all.push({ socket, open });
  }

  return {
    async stop() {
      running = false;
      const deadline = performance.now() + patience;
      const left = () => all.reduce((sum, { open }) => sum + open.size, 0);
      while (left() > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
      const lost = left();
      for (const { socket } of all) socket.close();
      return { answered, lost, wrong, slowest };
    },
  };
}
