import { openStreamLog } from "#roles/log.ts";
import type { ProxyRoleOptions } from "#roles/proxy-options.ts";
import { cleanUpProxy, startProxyRole, type RunningProxyRole } from "#roles/proxy.ts";
import { endOnUnexpected } from "#roles/unexpected.ts";
import { createRenderer, styleFor } from "../render.ts";

const interrupted = 130;

/** Serves until a signal, or removes what an earlier run left. The exit code. */
export async function runProxy(
  { cleanup, ...options }: ProxyRoleOptions & { cleanup?: boolean },
  json: boolean,
): Promise<number> {
  const report = createRenderer(styleFor(process.stdout, json), (text) => process.stdout.write(text));
  const log = openStreamLog(process.stderr, "proxy");
  if (cleanup === true) return (await cleanUpProxy(report)) ? 0 : 1;
  endOnUnexpected(log, (text) => report({ type: "error", text: `unexpected: ${text}` }));
  let running: RunningProxyRole | undefined;
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        // What a start that ends here has put into the kernel stays, as it does after every end.
        if (running === undefined) process.exit(interrupted);
        resolve();
      });
    }
  });
  running = await startProxyRole(options, report, { log, env: process.env });
  // Nothing else may keep the process: a cluster that is away is no reason to end.
  const alive = setInterval(() => {}, 2 ** 30);
  await stopped;
  clearInterval(alive);
  await running.stop(report);
  return 0;
}
