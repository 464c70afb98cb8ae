import type { ConnectionOptions } from "./remote.ts";

/** A kubeconfig that cannot be used; `message` says which field of which entry. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
}

/**
 * The connection of a kubeconfig's context (the current one by default). `readFile` is asked for the files it names.
 * Throws `KubeconfigError`.
 */
export function parseKubeconfig(
  _text: string,
  _options: { context?: string; readFile: (path: string) => string },
): ConnectionOptions {
  throw new Error("being built");
}

/** The connection of a pod's service account, or `undefined` outside a cluster. */
export function inClusterConnection(
  _env: Readonly<Record<string, string | undefined>>,
  _readFile: (path: string) => string,
): ConnectionOptions | undefined {
  throw new Error("being built");
}

/** The text of a kubeconfig with one cluster, user and context, all called `name`. */
export function renderKubeconfig(_options: {
  server: string;
  ca: string;
  cert?: string;
  key?: string;
  token?: string;
  name: string;
}): string {
  throw new Error("being built");
}
