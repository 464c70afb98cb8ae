/** One thing about a configuration file that somebody should know. */
export interface ConfigProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** What is wrong with which key, and what would be right. */
  readonly text: string;
  /** `error`: the file cannot be used. `ignored`: this part of it has no effect, the rest is used. */
  readonly severity: "error" | "ignored";
}

/** `FILE:LINE: TEXT`, as compilers write it. */
export function renderProblem({ file, line, text, severity }: ConfigProblem): string {
  return `${file}:${line}: ${text}${severity === "ignored" ? " (ignored)" : ""}`;
}

export function hasErrors(problems: readonly ConfigProblem[]): boolean {
  return problems.some(({ severity }) => severity === "error");
}
