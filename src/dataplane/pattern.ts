import vm from "node:vm";

/** What comparing a path with a pattern gives; `undecided` when it was given up for its cost. */
export type PatternOutcome = readonly (string | undefined)[] | "undecided" | undefined;

/** A regular expression that is safe to run on what a client sends. */
export interface Pattern {
  exec(path: string): PatternOutcome;
}

/** What is done without a guard: a millisecond or two of a worker. */
const freeSteps = 100_000;
/** The guard stops a comparison after this many milliseconds. */
const guardMs = 10;
/** How often a comparison begins anew that was stopped although it had hardly worked: others had the processor. */
const mostAttempts = 5;

/**
 * Makes ready a regex route's expression, anchored at the start, case-insensitive unless told otherwise; `undefined` when this engine does
 * not read it. JavaScript's engine tries every way to match and has no limit of its own, unlike PCRE: `/p.*q.*r.*s.*t$`
 * takes minutes for a path of a few hundred characters. So the ways there can be at most are counted from the text, and
 * where these are too many for a path, the comparison runs under a guard that ends it.
 */
export function compilePattern(source: string, flags: "is" | "s" = "is"): Pattern | undefined {
  let regex: RegExp;
  try {
    regex = new RegExp(`^(?:${source.replace(/^\^/, "")})`, flags);
  } catch {
    return undefined;
  }
  const longestFree = longestWithin(source, freeSteps);
  return {
    exec: (path) => (path.length <= longestFree ? (regex.exec(path) ?? undefined) : execGuarded(regex, path)),
  };
}

/** The longest path for which at most this many steps are possible. Counts by characters, so rather too many. Pure. */
export function longestWithin(source: string, steps: number): number {
  const repetitions = count(source, /[*+{]|\\[\dk]/g);
  const choices = count(source, /[?|]/g);
  // A repeated group may cut the same text in ways that multiply with each character.
  if (/\)[*+{]/.test(source)) return Math.floor(Math.log(steps) / Math.log(2 + repetitions + choices));
  const left = steps / 2 ** choices;
  return repetitions === 0 ? (left < 1 ? 0 : Infinity) : Math.floor(left ** (1 / repetitions));
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

interface Guard {
  readonly global: { regex?: RegExp; path?: string };
  readonly script: vm.Script;
}

/** One for a worker, made when it is first needed; only the engine's own `exec` runs in it. */
let guard: Guard | undefined;

function execGuarded(regex: RegExp, path: string): PatternOutcome {
  guard ??= {
    global: vm.createContext(Object.create(null) as Guard["global"]),
    script: new vm.Script("regex.exec(path)"),
  };
  const { global, script } = guard;
  Object.assign(global, { regex, path });
  for (let attempt = 1; ; attempt += 1) {
    const begun = process.threadCpuUsage();
    try {
      return (script.runInContext(global, { timeout: guardMs }) as RegExpExecArray | null) ?? undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      const { user, system } = process.threadCpuUsage(begun);
      if ((user + system) / 1000 > guardMs / 2 || attempt === mostAttempts) return "undecided";
    }
  }
}
