import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** `fairlead dns`, `ingress` or `proxy` as a process, and what it has said. */
export interface Attached {
  readonly child: ChildProcess;
  readonly said: readonly { type: string; text: string; state?: string; next?: string }[];
  /** Resolves with the first line, said already or still to come, whose text fits. */
  hears(pattern: RegExp): Promise<string>;
  readonly ended: Promise<number>;
  readonly errors: () => string;
}

const program = join(import.meta.dirname, "../../bin/fairlead.ts");

/** `inside`: how it is started, when not as it is: `["nsenter", "--net=…"]`. */
export function startAttached(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  { command = "dns", inside = [] }: { command?: "dns" | "ingress" | "proxy"; inside?: readonly string[] } = {},
): Attached {
  const [first = "", ...rest] = [...inside, process.execPath, program, command, "--json", ...args];
  const child = spawn(first, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const said: { type: string; text: string; state?: string }[] = [];
  const waiting = new Set<() => void>();
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  let isOver = false;
  const wake = () => {
    for (const look of waiting) look();
  };
  createInterface({ input: child.stdout }).on("line", (line) => {
    said.push(JSON.parse(line));
    wake();
  });
  const ended = new Promise<number>((resolve) =>
    child.once("close", (code) => {
      isOver = true;
      wake();
      resolve(code ?? -1);
    }),
  );
  const heard = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(late);
        waiting.delete(look);
        settle();
      };
      const fail = (why: string) =>
        done(() => reject(new Error(`${why} before ${pattern}: ${JSON.stringify(said)}\n${errors}`)));
      const look = () => {
        const found = said.find(({ text, state }) => state !== "begun" && pattern.test(text));
        if (found !== undefined) done(() => resolve(found.text));
        else if (isOver) fail("it ended");
      };
      const late = setTimeout(() => fail("30 s passed"), 30_000);
      waiting.add(look);
      look();
    });
  return { child, said, hears: heard, ended, errors: () => errors };
}
