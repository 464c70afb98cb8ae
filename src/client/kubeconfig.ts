import { parse, stringify } from "yaml";
import type { ConnectionOptions } from "./remote-connection.ts";

/** A kubeconfig that cannot be used; `message` says which field of which entry. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * The connection of a kubeconfig's context (the current one by default). `readFile` is asked for the files it names,
 * which are relative to the kubeconfig's folder: resolving them is the caller's. Throws `KubeconfigError`.
 */
export function parseKubeconfig(
  text: string,
  { context, readFile }: { context?: string; readFile: (path: string) => string },
): ConnectionOptions {
  const config = parseText(text);
  const contextName = context ?? textOf(config, "current-context");
  if (contextName === undefined) throw new KubeconfigError("no context is chosen: set current-context");
  const { cluster: clusterName, user: userName } = entryOf(config, "contexts", contextName, "context");
  if (typeof clusterName !== "string") throw new KubeconfigError(`context ${contextName} names no cluster`);
  const cluster = entryOf(config, "clusters", clusterName, "cluster");
  const user = typeof userName === "string" && userName !== "" ? entryOf(config, "users", userName, "user") : {};
  for (const field of ["exec", "auth-provider", "username"]) {
    if (user[field] !== undefined) {
      throw new KubeconfigError(
        `user ${String(userName)} signs in by ${field}, which is not supported: use a certificate or a token`,
      );
    }
  }
  const server = textOf(cluster, "server");
  if (server === undefined || !server.startsWith("https://")) {
    throw new KubeconfigError(`cluster ${clusterName} needs a server that starts with https://`);
  }
  const data = (from: Fields, field: string) => dataOrFile(from, field, readFile);
  const tokenFile = textOf(user, "tokenFile");
  const ca = data(cluster, "certificate-authority");
  const cert = data(user, "client-certificate");
  const key = data(user, "client-key");
  const token = textOf(user, "token");
  const tlsServerName = textOf(cluster, "tls-server-name");
  return {
    server: server.replace(/\/+$/, ""),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(token === undefined ? {} : { token }),
    ...(tokenFile === undefined ? {} : { tokenSource: () => readFile(tokenFile).trim() }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(cluster["insecure-skip-tls-verify"] === true ? { insecureSkipTlsVerify: true } : {}),
  };
}

function parseText(text: string): Fields {
  let parsed: unknown;
  try {
    parsed = parse(text, { maxAliasCount: 10 });
  } catch (error) {
    throw new KubeconfigError(`the kubeconfig is not YAML: ${(error as Error).message}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new KubeconfigError("the kubeconfig is empty or no mapping");
  }
  return parsed as Fields;
}

function entryOf(config: Fields, list: string, name: string, field: string): Fields {
  const entries = Array.isArray(config[list]) ? (config[list] as unknown[]) : [];
  const found = entries.find((entry) => (entry as Fields | null)?.["name"] === name) as Fields | undefined;
  if (found === undefined) throw new KubeconfigError(`${list} holds no ${JSON.stringify(name)}`);
  return (found[field] ?? {}) as Fields;
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function dataOrFile(fields: Fields, name: string, readFile: (path: string) => string): string | undefined {
  const data = textOf(fields, `${name}-data`);
  if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
  const file = textOf(fields, name);
  return file === undefined ? undefined : readFile(file);
}

const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The connection of a pod's service account, or `undefined` outside a cluster. The token is read anew when it may have changed. */
export function inClusterConnection(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): ConnectionOptions | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port) return undefined;
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    ca: readFile(`${accountFolder}/ca.crt`),
    tokenSource: () => readFile(`${accountFolder}/token`).trim(),
  };
}

/** The text of a kubeconfig with one cluster, user and context, all called `name`. It holds secrets. */
export function renderKubeconfig({
  server,
  ca,
  cert,
  key,
  token,
  name,
}: {
  server: string;
  ca: string;
  cert?: string;
  key?: string;
  token?: string;
  name: string;
}): string {
  const data = (text: string) => Buffer.from(text).toString("base64");
  const user = {
    ...(cert === undefined ? {} : { "client-certificate-data": data(cert) }),
    ...(key === undefined ? {} : { "client-key-data": data(key) }),
    ...(token === undefined ? {} : { token }),
  };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority-data": data(ca) } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
  return stringify(config, { lineWidth: 0 });
}
