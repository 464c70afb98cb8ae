import { createServer } from "node:net";

/** Why a port cannot be used, or `undefined` when it can. Binds once without sharing, so that no one else is there. */
export function portProblem(port: number, host = "0.0.0.0"): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}

/** A port that can be used: the one asked for, or the first free from `fallback` up. */
export async function choosePort(
  preferred: number,
  fallback: number,
): Promise<{ port: number; taken?: string } | undefined> {
  const problem = await portProblem(preferred);
  if (problem === undefined) return { port: preferred };
  for (let port = fallback; port < fallback + 100; port += 1) {
    if ((await portProblem(port)) === undefined) return { port, taken: problem };
  }
  return undefined;
}

/** `EADDRINUSE` and the like in words. */
export function portProblemText(code: string): string {
  if (code === "EADDRINUSE") return "is taken";
  if (code === "EACCES") return "needs root";
  return `cannot be used (${code})`;
}
