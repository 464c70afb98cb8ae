import { cpus } from "node:os";
import { findProgram } from "#roles/packages.ts";
import { memoryAttached } from "./dns/attached.ts";
import { checkAnswer, load, questions, type Load, type Question } from "./dns/load.ts";
import { memoryOf } from "./dns/processes.ts";
import {
  canPin,
  memoryWithoutDns,
  others,
  startEcho,
  startFairlead,
  startUpstream,
  upstreamPort,
  type Server,
  type Started,
} from "./dns/servers.ts";
import { median, printTable } from "./table.ts";

/** CPU time and speed of one server for one kind of question: medians over the rounds. */
export interface DnsMeasure {
  readonly server: string;
  readonly question: Question;
  /** Microseconds of CPU for each answer, all threads and the kernel's share with it. */
  readonly cpu: number;
  /** Answers a second in this run, which the asking side may have limited. */
  readonly rate: number;
  readonly lost: number;
}

export interface DnsBench {
  readonly measures: readonly DnsMeasure[];
  /** MB after all rounds. */
  readonly memory: ReadonlyMap<string, number>;
  /** Servers that are not in the table, and why. */
  readonly missing: readonly string[];
}

const memoryTarget = 120;
const attachedName = "fairlead dns, attached, with 100,000 endpoints";

/**
 * Cluster DNS with 10,000 Services beside other servers with the same names, asked in turn by dnsperf in rounds of one
 * run, so that all see the same machine. The first round warms up and is not counted.
 */
export async function benchDns(rounds = 3): Promise<DnsBench> {
  const upstream = await startUpstream();
  const missing =
    upstream === undefined ? ["forwarded and cached names: knotd, which they are asked of, is missing"] : [];
  const servers: Server[] = [];
  const loads = new Map<string, Load[]>();
  const asked = questions.filter(({ outside }) => outside !== true || upstream !== undefined);
  try {
    for (const workers of [1, 2]) {
      const starts: (() => Promise<Started>)[] = [
        () => startFairlead(workers, upstream === undefined ? 0 : upstreamPort),
        ...others.map((start, index) => () => start(workers, upstreamPort + workers * 10 + index)),
      ];
      if (workers === 1) starts.push(startEcho);
      for (const start of starts) {
        const started = await start();
        if ("missing" in started) missing.push(`${started.name}: ${started.missing}`);
        else servers.push(started);
      }
    }
    for (let round = 0; round <= rounds; round++) {
      for (const question of asked) {
        for (const server of servers.filter((each) => canAnswer(each, question))) {
          if (round === 0 && server.echo !== true) await checkAnswer(server.port, question, server.name);
          const found = await load(server.pid, server.port, question);
          const key = `${server.name} ${question.what}`;
          if (round > 0) loads.set(key, [...(loads.get(key) ?? []), found]);
        }
      }
    }
    const memory = new Map(servers.map(({ name, pid }) => [name, memoryOf(pid)]));
    memory.set("the objects alone, without DNS", await memoryWithoutDns());
    memory.set(attachedName, await memoryAttached());
    return { measures: measuresOf(servers, loads), memory, missing };
  } finally {
    for (const server of servers) await server.stop();
    await upstream?.stop();
  }
}

function canAnswer({ forwards, echo }: Server, { what, outside }: Question): boolean {
  if (echo === true) return what === "hit";
  return forwards || outside !== true;
}

function measuresOf(servers: readonly Server[], loads: ReadonlyMap<string, readonly Load[]>): DnsMeasure[] {
  return servers.flatMap(({ name }) =>
    questions.flatMap((question) => {
      const all = loads.get(`${name} ${question.what}`);
      if (all === undefined) return [];
      const of = (field: keyof Load) => median(all.map((each) => each[field]));
      const lost = all.reduce((sum, each) => sum + each.lost, 0);
      return [{ server: name, question, cpu: of("cpu"), rate: of("rate"), lost }];
    }),
  );
}

function print({ measures, memory, missing }: DnsBench): void {
  const first = measures[0]?.server ?? "";
  const fairlead = (what: string) =>
    measures.find(({ server, question }) => server === first && question.what === what)?.cpu ?? Number.NaN;
  printTable(
    ["server", "question", "CPU µs an answer", "Fairlead is × this", "answers/s here", "lost", "target µs"],
    measures.map(({ server, question: { what, target }, cpu, rate, lost }) => [
      server,
      what,
      cpu.toFixed(2),
      (fairlead(what) / cpu).toFixed(2),
      rate.toFixed(0),
      String(lost),
      server.startsWith("fairlead") ? `${target} ${cpu <= target ? "met" : "MISSED"}` : "",
    ]),
  );
  console.log();
  printTable(
    ["server", "RSS MB", "target MB"],
    [...memory].map(([server, rss]) => [
      server,
      rss.toFixed(0),
      server === attachedName ? `${memoryTarget} ${rss <= memoryTarget ? "met" : "MISSED"}` : "",
    ]),
  );
  for (const why of missing) console.log(`not measured: ${why}`);
}

if (import.meta.main) {
  const needs = findProgram("dnsperf") === undefined ? "dnsperf (npm run setup)" : !canPin() ? "two processors" : "";
  if (needs !== "") {
    console.error(`this measurement needs ${needs}; this machine has ${cpus().length} processors`);
    process.exit(1);
  }
  print(await benchDns(Number(process.env["ROUNDS"] ?? 3)));
}
