import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { ChunkDecoder } from "#wire/http1/chunked.ts";
import { checkHost, chunkedBody, requestFraming, responseFraming, untilClose } from "#wire/http1/framing.ts";
import { HeadTable } from "#wire/http1/head.ts";
import { normalizePath } from "#wire/http1/path.ts";
import { problemOf } from "#wire/http1/problem.ts";
import { parseRequestHead } from "#wire/http1/request.ts";
import { parseResponseHead } from "#wire/http1/response.ts";
import { locatePath } from "#wire/http1/target.ts";

// A case is `# name`, lines `> bytes` that are joined as they stand (escapes \r \n \t \\ \xHH, `{text*count}` repeats),
// and `= outcome`. Files named requests-* hold requests, responses-* responses (`head-` in front: to HEAD).
const table = new HeadTable();

export interface Case {
  readonly name: string;
  readonly bytes: Buffer;
  readonly outcome: string;
}

/** The case files whose name begins with this, and what they hold. */
export function casesOf(kind: "requests" | "responses" | "head-responses"): { name: string; cases: Case[] }[] {
  return globSync(`${import.meta.dirname}/${kind}*.txt`)
    .sort()
    .map((file) => ({ name: basename(file, ".txt"), cases: readCases(readFileSync(file, "utf8")) }));
}

function readCases(text: string): Case[] {
  return text
    .split(/^# /m)
    .slice(1)
    .map((block) => {
      const [name = "", ...lines] = block.split("\n");
      const of = (mark: string) => lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
      return { name, bytes: Buffer.from(expand(of("> ").join("")), "latin1"), outcome: expand(of("= ").join("")) };
    });
}

function expand(text: string): string {
  return text
    .replace(/\{([^*{}]+)\*(\d+)\}/g, (_, part: string, count: string) => part.repeat(Number(count)))
    .replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (_, hex: string | undefined, one: string) =>
      hex === undefined
        ? ({ r: "\r", n: "\n", t: "\t", "\\": "\\" }[one] ?? one)
        : String.fromCharCode(parseInt(hex, 16)),
    );
}

const refuse = (code: number) => `refuse ${problemOf(code).word} ${problemOf(code).status}`;

export type Reader = (bytes: Buffer) => { readonly head: string; readonly at: number; readonly length: number };

export const readRequest: Reader = (bytes) => {
  const at = parseRequestHead(bytes, 0, bytes.length, table);
  if (at <= 0) return { head: at === 0 ? "incomplete" : refuse(at), at: 0, length: 0 };
  const length = requestFraming(bytes, table);
  const refused = Math.min(length, 0) || checkHost(bytes, table) || locatePath(bytes, table);
  if (refused < 0) return { head: refuse(refused), at: 0, length: 0 };
  const text = (start: number, end: number) => bytes.toString("latin1", start, end);
  const path = normalizePath(text(table.pathStart, table.targetEnd) || "/");
  if (path === undefined && bytes[table.pathStart] !== 0x2a) return { head: "refuse bad-path 400", at: 0, length: 0 };
  const host = table.hostField < 0 ? "-" : text(table.valueStart(table.hostField), table.valueEnd(table.hostField));
  const flags = (["close", "keepAlive", "upgrade", "nominates"] as const).filter((flag) => table[flag]);
  const head = [text(table.methodStart, table.methodEnd), path?.path ?? "*"];
  if (path?.otherwise !== undefined) head.push(`(${path.otherwise})`);
  head.push(`1.${table.minor}`, `host=${host}`, `fields=${table.count}`, ...flags);
  return { head: head.join(" "), at, length };
};

export const readResponse =
  (toHead: boolean): Reader =>
  (bytes) => {
    const at = parseResponseHead(bytes, 0, bytes.length, table);
    if (at <= 0) return { head: at === 0 ? "incomplete" : refuse(at), at: 0, length: 0 };
    const length = responseFraming(bytes, table, toHead);
    if (length < 0) return { head: refuse(length), at: 0, length: 0 };
    const reason = bytes.toString("latin1", table.reasonStart, table.reasonEnd);
    const flags = (["close", "keepAlive", "upgrade"] as const).filter((flag) => table[flag]);
    const head = [`${table.status}`, `'${reason}'`, `1.${table.minor}`, `fields=${table.count}`, ...flags].join(" ");
    return { head, at, length };
  };

export interface Outcome {
  readonly text: string;
  /** Where the next message begins; absent when nobody can tell, or this one is not whole. */
  readonly end?: number;
  /** What chunks hold. */
  readonly data?: string;
}

/** Feeds the bytes in pieces as a connection would and says what became of them. */
export function outcomeOf(bytes: Buffer, cuts: readonly number[], read: Reader): Outcome {
  const ends = [...cuts, bytes.length];
  let first = 0;
  let result = read(bytes.subarray(0, ends[first]));
  while (result.head === "incomplete" && first + 1 < ends.length) {
    first += 1;
    result = read(bytes.subarray(0, ends[first]));
  }
  const { head, at, length } = result;
  if (at === 0) return { text: head };
  if (length === untilClose) return { text: `${head} body=close` };
  if (length !== chunkedBody) {
    const end = at + length;
    if (end > bytes.length) return { text: `${head} body=${length} incomplete` };
    return { text: `${head} body=${length}${restOf(bytes, end)}`, end };
  }
  const decoder = new ChunkDecoder();
  let data = "";
  decoder.onData = (start, end) => (data += bytes.toString("latin1", start, end));
  let end = at;
  for (const piece of ends.slice(first)) {
    const next = decoder.feed(bytes, end, piece);
    if (next < 0) return { text: `${head} ${refuse(next)}` };
    end = next;
    if (decoder.finished) break;
  }
  if (!decoder.finished) return { text: `${head} body=chunked incomplete` };
  return { text: `${head} body=chunked'${data.length > 40 ? data.length : data}'${restOf(bytes, end)}`, end, data };
}

const restOf = (bytes: Buffer, end: number) => (end < bytes.length ? ` rest=${bytes.length - end}` : "");
