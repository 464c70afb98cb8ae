import type { DataplaneOptions, RunningDataplane } from "./running.ts";

export { ListenError, type DataplaneOptions, type ListenerSpec, type RunningDataplane } from "./running.ts";

/**
 * Starts the HTTP data plane with an empty table. Rejects with `ListenError` (with `code` and `listener`) when a port
 * cannot be had; nothing is left running then.
 */
export function startDataplane(options: DataplaneOptions): Promise<RunningDataplane> {
  return Promise.reject(new Error(`not ready: ${options.listeners.length} listeners`));
}
