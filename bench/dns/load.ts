import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { types } from "#wire/dns/numbers.ts";
import { queryFor, read, sendUdp } from "../../test/fakes/dns-client.ts";
import { cachedName, freshName, serviceName, services, zone } from "./names.ts";
import { cpuOf } from "./processes.ts";

/** One kind of question, and what a right answer to it is. */
export interface Question {
  readonly what: string;
  readonly type: "A" | "AAAA";
  readonly name: (index: number) => string;
  readonly rcode: number;
  readonly addresses: number;
  /** Microseconds of CPU that an answer may take. */
  readonly target: number;
  /** Each name is asked once only, so that nobody has it in a cache. */
  readonly once?: boolean;
  /** Needs a server that asks others. */
  readonly outside?: boolean;
}

const local = 8;
const forwarded = 14;
const spread = (index: number) => (index * 17) % services;

export const questions: readonly Question[] = [
  { what: "hit", type: "A", name: (i) => serviceName(spread(i)), rcode: 0, addresses: 1, target: local },
  { what: "NODATA", type: "AAAA", name: (i) => serviceName(spread(i)), rcode: 0, addresses: 0, target: local },
  {
    what: "NXDOMAIN",
    type: "A",
    name: (i) => `example-${i}.com.dev.svc.${zone}`,
    rcode: 3,
    addresses: 0,
    target: local,
  },
  { what: "cached", type: "A", name: cachedName, rcode: 0, addresses: 1, target: local, outside: true },
  {
    what: "forwarded",
    type: "A",
    name: freshName,
    rcode: 0,
    addresses: 1,
    target: forwarded,
    once: true,
    outside: true,
  },
];

export interface Load {
  /** Microseconds of CPU an answer. */
  readonly cpu: number;
  readonly rate: number;
  readonly lost: number;
}

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-dns-"));
const files = new Map<string, string>();
/** More than one second's worth of names that are asked once. */
const perFile = { once: 250_000, again: 2_000 };
let fresh = 0;

/** Fails when the server's answer is not the right one: a wrong answer may well be a quick one. */
export async function checkAnswer(port: number, question: Question, server: string): Promise<void> {
  const name = question.name(question.once === true ? ++fresh : 3);
  const { rcode, answers } = read(
    await sendUdp({ address: "127.0.0.1", port }, queryFor(name, question.type, { size: 1232 })),
  );
  const found = answers.filter(({ type }) => type === types[question.type]).length;
  if (rcode === question.rcode && found === question.addresses) return;
  throw new Error(`${server} answers ${question.what} (${name}) with code ${rcode} and ${found} addresses`);
}

/** Asks for a second with dnsperf on a processor of its own, and says what that cost the server. */
export async function load(pid: number, port: number, question: Question, seconds = 1): Promise<Load> {
  const args = ["-s", "127.0.0.1", "-p", String(port), "-d", fileOf(question), "-c", "20", "-q", "100", "-e"];
  const before = cpuOf(pid);
  const { stdout } = await run("taskset", ["-c", "1", "dnsperf", ...args, "-l", String(seconds), "-S", "0"]);
  const cpu = cpuOf(pid) - before;
  const number = (label: string) => Number(new RegExp(`${label}:\\s+([\\d.]+)`).exec(stdout)?.[1]);
  const completed = number("Queries completed");
  return { cpu: cpu / completed, rate: number("Queries per second"), lost: number("Queries lost") };
}

function fileOf({ what, name, type, once = false }: Question): string {
  const known = files.get(what);
  if (known !== undefined && !once) return known;
  const file = join(folder, what);
  const start = fresh;
  const count = once ? perFile.once : perFile.again;
  if (once) fresh += count;
  writeFileSync(file, Array.from({ length: count }, (_, index) => `${name(start + index)} ${type}\n`).join(""));
  files.set(what, file);
  return file;
}
