import { startDnsRole, type RunningDnsRole } from "#roles/dns.ts";
import type { DnsRoleOptions } from "#roles/dns-options.ts";
import { openStreamLog } from "#roles/log.ts";
import { endOnUnexpected } from "#roles/unexpected.ts";
import { createRenderer, styleFor } from "../render.ts";

const interrupted = 130;

/** Serves until a signal, then stops as the configuration says; a second signal ends the wait. The exit code. */
export async function runDns(options: DnsRoleOptions, json: boolean): Promise<number> {
  const report = createRenderer(styleFor(process.stdout, json), (text) => process.stdout.write(text));
  const log = openStreamLog(process.stderr, "dns");
  endOnUnexpected(log, (text) => report({ type: "error", text: `unexpected: ${text}` }));
  const first = new AbortController();
  const second = new AbortController();
  const stopped = new Promise<void>((resolve) => first.signal.addEventListener("abort", () => resolve()));
  let running: RunningDnsRole | undefined;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      // Nothing is left behind by a start that ends here.
      if (running === undefined) process.exit(interrupted);
      (first.signal.aborted ? second : first).abort();
    });
  }
  running = await startDnsRole(options, report, { log, env: process.env });
  await stopped;
  await running.stop(report, second.signal);
  return 0;
}
