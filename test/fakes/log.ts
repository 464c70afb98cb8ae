import { silentLog, type Log } from "#base/log.ts";

/** A log whose errors are kept: what the server takes for a fault of its own. */
export function watchedLog(): { readonly log: Log; readonly faults: string[] } {
  const faults: string[] = [];
  const log: Log = {
    ...silentLog,
    child: () => log,
    error: (fields, text) => faults.push(`${text} ${String(fields["error"])}`),
  };
  return { log, faults };
}
