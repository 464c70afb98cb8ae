import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isApiError } from "#api/meta/status.ts";
import type { KindName } from "#api/types.ts";
import type { Client } from "#client/contract.ts";
import { inClusterConnection, KubeconfigError, parseKubeconfig } from "#client/kubeconfig.ts";
import type { ConnectionOptions } from "#client/remote-connection.ts";
import { RoleError } from "./report.ts";

/**
 * The connection of a kubeconfig, or of the pod's service account where none is given, for `fairlead COMMAND`. Throws
 * `RoleError`.
 */
export function connectionOf(
  {
    command,
    kubeconfig,
    context,
  }: { command: "dns" | "ingress" | "proxy" | "rules"; kubeconfig?: string; context?: string },
  env: Readonly<Record<string, string | undefined>>,
): ConnectionOptions {
  const name = `fairlead-${command}`;
  if (kubeconfig === undefined) {
    const inCluster = inClusterConnection(env, (path) => readOr(path, "the service account"));
    if (inCluster !== undefined) return { ...inCluster, name };
    throw new RoleError("no cluster is named", `give its kubeconfig: fairlead ${command} --kubeconfig FILE`);
  }
  const folder = dirname(resolve(kubeconfig));
  try {
    const connection = parseKubeconfig(readOr(kubeconfig, "the kubeconfig"), {
      ...(context === undefined ? {} : { context }),
      readFile: (path) => readOr(resolve(folder, path), "what the kubeconfig names"),
    });
    return { ...connection, name };
  } catch (error) {
    if (error instanceof KubeconfigError) throw new RoleError(`${kubeconfig}: ${error.message}`);
    throw error;
  }
}

function readOr(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new RoleError(`${what} cannot be read: ${(error as Error).message}`);
  }
}

/** Answers of the API that no repetition makes better, by what the certificate check says. */
const wrongCertificate =
  /self.signed|unable to (?:verify|get)|certificate (?:has expired|is not yet valid|signature)|altnames|wrong version number/i;

/** What a part lists and watches of a cluster. */
export interface Needs {
  readonly kinds: readonly KindName[];
  /** The one namespace that it looks into; all when absent. */
  readonly namespace?: string;
  /** `what DNS answers for` */
  readonly what: string;
  /** `get, list and watch of …` */
  readonly rights: string;
}

/**
 * Asks the API for what the part will list, one object of each kind. Resolves with `undefined` when it answers, and
 * with the reason when it cannot be reached now: that may pass. Rejects with `RoleError` when it refuses, or is not the
 * server it should be.
 */
export async function checkAccess(
  client: Client,
  server: string,
  { kinds, namespace, what, rights }: Needs,
): Promise<string | undefined> {
  try {
    // What is allowed for one object of a list is allowed for all; a large cluster is not listed twice.
    const scope = { fieldSelector: "metadata.name=kubernetes", ...(namespace === undefined ? {} : { namespace }) };
    for (const kind of kinds) await client.list(kind, scope);
    return undefined;
  } catch (error) {
    const message = (error as Error).message;
    if (isApiError(error, "Forbidden")) {
      throw new RoleError(`the API server does not let this account list ${what}: ${message}`, `it needs ${rights}`);
    }
    if (isApiError(error, "Unauthorized"))
      throw new RoleError(
        `the API server does not know this account: ${message}`,
        "renew the kubeconfig's certificate or token",
      );
    if (wrongCertificate.test(message)) {
      throw new RoleError(
        `${server} does not show a certificate of the authority that is expected: ${message}`,
        "check certificate-authority-data and server of the kubeconfig",
      );
    }
    return message;
  }
}
