import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { systemClock, type Clock } from "#base/clock.ts";
import { inNamespace, runOn, type Place } from "../../command.ts";
import { parseComplaint } from "./complaint.ts";
import type { Element } from "./element.ts";

/** A transaction that the kernel refused, or that could not be handed to it; nothing of it is in force. */
export class NftError extends Error {
  override readonly name = "NftError";
  /** The element that was refused, where it was one and nft says which. */
  readonly at: Omit<Element, "value"> | undefined;
  constructor(message: string, at?: Omit<Element, "value">) {
    super(message);
    this.at = at;
  }
}

/** The way to the kernel's nftables inside one network namespace. Transactions run one after the other. */
export interface NftChannel {
  /** Runs the commands as one transaction, all or nothing; rejects with `NftError`. */
  run(commands: readonly string[]): Promise<void>;
  /** Runs several transactions at once, in no order, each by a program of its own; rejects when one of them does. */
  runTogether(transactions: readonly (readonly string[])[]): Promise<void>;
  /** Ends the child; transactions that wait are refused. */
  close(): Promise<void>;
}

export interface NftChannelOptions {
  /** Where another runs its programs, each transaction is given to one of its own. */
  readonly place?: Place;
  readonly clock?: Clock;
  /** A transaction longer than this many characters is given to a program of its own. */
  readonly lineLimit?: number;
}

/** `nft -i` remembers every line it read: after this many characters a new one takes over. */
const lifetime = 8_000_000;
const answerMs = 30_000;

/**
 * Ten thousand Services take nft a hundred megabytes: in huge pages that costs it a
 * sixth less time (glibc manual, "Memory Allocation Tunables"). Nobody else minds the variable.
 */
const roomyMemory = "GLIBC_TUNABLES=glibc.malloc.hugetlb=1";

/** A table that never exists: nft looks at no set of any other table when it is asked for a chain of this one. */
const noTable = "fairlead-fence";

interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  /** What it said that no transaction has claimed yet. */
  errors: string;
  written: number;
  wake: () => void;
  ended: boolean;
}

/**
 * Keeps one `nft -i` in the namespace: a line is a transaction, and costs 0.3 ms where a program of its own costs ten.
 * After each line it is asked for a chain that never exists; the complaint about that tells that the line before is
 * done, and all that was complained before it belongs to that line.
 */
export function openNftChannel({
  place = {},
  clock = systemClock,
  lineLimit = 64_000,
}: NftChannelOptions = {}): NftChannel {
  let child: Child | undefined;
  let tail: Promise<unknown> = Promise.resolve();
  let fences = 0;
  let closed = false;

  function start(): Child {
    const [program = "", ...args] = inNamespace(place.netns, ["nft", "-i"]);
    // The line editor keeps a history file in HOME; this one must not.
    const process_ = spawn(program, args, { env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent" } });
    const started: Child = { process: process_, errors: "", written: 0, wake: () => {}, ended: false };
    process_.stdout.resume();
    process_.stdin.on("error", () => {});
    process_.stderr.setEncoding("utf8").on("data", (text: string) => {
      started.errors += text;
      started.wake();
    });
    const end = () => {
      started.ended = true;
      started.wake();
    };
    process_.on("error", end).on("close", end);
    return started;
  }

  async function ask(line: string): Promise<void> {
    if (child !== undefined && (child.ended || child.written > lifetime)) endChild(child);
    child = child === undefined || child.ended || child.written > lifetime ? start() : child;
    const mine = child;
    fences += 1;
    const fence = `no-chain-${fences}`;
    mine.errors = "";
    mine.written += line.length;
    mine.process.stdin.write(`${line}\nlist chain ip ${noTable} ${fence}\n`);
    const complaint = await answerOf(mine, fence);
    if (complaint !== "") throw refusalOf(complaint);
  }

  /** What was complained about before the fence; rejects when the child ends or stays silent. */
  function answerOf(mine: Child, fence: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        cancel();
        mine.wake = () => {};
        finish();
      };
      const cancel = clock.after(answerMs, () => {
        endChild(mine);
        settle(() => reject(new NftError(`nft -i gave no answer for ${answerMs} ms`)));
      });
      mine.wake = () => {
        const at = mine.errors.search(new RegExp(`Error:[^\\n]*\\n[^\\n]*${fence}\\n`));
        // The mark below the fence before may come late.
        if (at !== -1)
          settle(() =>
            resolve(
              mine.errors
                .slice(0, at)
                .replace(/^\s*\^[\^~]*(?:\n|$)/, "")
                .trimEnd(),
            ),
          );
        else if (mine.ended) settle(() => reject(new NftError(`nft -i ended: ${mine.errors.trim()}`)));
      };
      mine.wake();
    });
  }

  async function runOnce(commands: readonly string[]): Promise<void> {
    const argv = ["env", roomyMemory, "nft", "-f", "-"];
    const { code, stderr } = await runOn(place, argv, `${commands.join("\n")}\n`);
    if (code !== 0) throw refusalOf(stderr);
  }

  async function transact(commands: readonly string[]): Promise<void> {
    const line = commands.join("; ");
    await (line.length > lineLimit || place.run !== undefined ? runOnce(commands) : ask(line));
  }

  function inTurn(work: () => Promise<void>): Promise<void> {
    const turn = tail.then(() => {
      if (closed) throw new NftError("the channel is closed");
      return work();
    });
    tail = turn.catch(() => {});
    return turn;
  }

  return {
    run: (commands) => inTurn(() => transact(commands)),
    runTogether: (transactions) =>
      inTurn(async () => {
        const results = await Promise.allSettled(transactions.map(runOnce));
        for (const result of results) if (result.status === "rejected") throw result.reason;
      }),
    async close() {
      closed = true;
      await tail;
      if (child === undefined) return;
      const { process: ending, ended } = child;
      if (ended) return;
      const gone = new Promise((resolve) => ending.once("close", resolve));
      ending.stdin.end();
      const cancel = clock.after(2000, () => ending.kill("SIGKILL"));
      await gone;
      cancel();
    },
  };
}

function refusalOf(said: string): NftError {
  const { text, at } = parseComplaint(said);
  return new NftError(`nft: ${text}`, at);
}

function endChild(child: Child): void {
  child.process.stdin.end();
  if (!child.ended) child.process.kill("SIGKILL");
}
