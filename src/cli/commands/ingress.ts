import { startIngressRole, type RunningIngressRole } from "#roles/ingress.ts";
import type { IngressRoleOptions } from "#roles/ingress-options.ts";
import { openStreamLog } from "#roles/log.ts";
import { endOnUnexpected } from "#roles/unexpected.ts";
import { createRenderer, styleFor } from "../render.ts";

const interrupted = 130;

/** Serves until a signal, then drains; a second signal ends the wait. SIGUSR2 starts anew what serves. The exit code. */
export async function runIngress(options: IngressRoleOptions, json: boolean): Promise<number> {
  const report = createRenderer(styleFor(process.stdout, json), (text) => process.stdout.write(text));
  const log = openStreamLog(process.stderr, "ingress");
  endOnUnexpected(log, (text) => report({ type: "error", text: `unexpected: ${text}` }));
  const first = new AbortController();
  const second = new AbortController();
  const stopped = new Promise<void>((resolve) => first.signal.addEventListener("abort", () => resolve()));
  let running: RunningIngressRole | undefined;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      // What serves ends by itself when nobody is left to tell it anything.
      if (running === undefined) process.exit(interrupted);
      (first.signal.aborted ? second : first).abort();
    });
  }
  process.on("SIGUSR2", () => {
    if (first.signal.aborted) return;
    running?.restart(report).catch((error: unknown) => {
      const text = `what serves was not started anew, and goes on: ${error instanceof Error ? error.message : String(error)}`;
      report({ type: "error", text });
    });
  });
  running = await startIngressRole(options, report, { log, env: process.env });
  await stopped;
  await running.stop(report, second.signal);
  return 0;
}
