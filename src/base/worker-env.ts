import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";

/**
 * The whole environment of a worker thread or child: nothing of the caller's, but where compiled code is kept. Without
 * that each of them would strip the types of its TypeScript anew, which costs 20 MB of memory apiece.
 */
export function workerEnv(): Record<string, string> {
  const folder = getCompileCacheDir();
  // Node adds a folder of its version to the one it is given.
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
