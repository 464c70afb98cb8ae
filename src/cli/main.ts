import { CommanderError } from "commander";
import { RoleError } from "#roles/report.ts";
import { createProgram } from "./program.ts";
import { createRenderer, styleFor } from "./render.ts";

/** Runs one command line; the promise is the exit code. Failures are one line with a next step, never a stack trace. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = createProgram((code) => (exitCode = code));
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    tellFailure(error, argv.includes("--json"));
    return 1;
  }
}

function tellFailure(error: unknown, json: boolean): void {
  const stream = json ? process.stdout : process.stderr;
  const render = createRenderer(styleFor(stream, json), (text) => stream.write(text));
  if (error instanceof RoleError) {
    render({ type: "error", text: error.message, ...(error.next === undefined ? {} : { next: error.next }) });
    return;
  }
  const text = error instanceof Error ? error.message : String(error);
  render({
    type: "error",
    text: `unexpected: ${text}`,
    next: "run again with FAIRLEAD_DEBUG=1 and report what it prints",
  });
  if (process.env["FAIRLEAD_DEBUG"] !== undefined && error instanceof Error) console.error(error.stack);
}
