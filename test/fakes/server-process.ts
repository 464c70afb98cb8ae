import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCertificates, type Certificates } from "#apiserver/certificates.ts";
import { createRemoteClient, type RemoteClient } from "#client/remote.ts";

/** Where the certificates are, and the objects. */
export interface ServerPlace {
  readonly directory: string;
  readonly store: { readonly file: string } | { readonly etcd: readonly string[] };
  /** Who it is among those that may run the controllers; it runs none without. */
  readonly candidate?: string;
}

/** An API server that is killed and started again on the same objects; each life has another port. */
export interface ServerProcess {
  /** A client of the newest life: it fails while there is none. */
  readonly client: () => RemoteClient;
  /** Where the newest life listens. */
  readonly url: () => string;
  /** Of the newest life. */
  readonly pid: () => number;
  /** Resolves when it listens. */
  start(): Promise<void>;
  /** Starts it and kills it so soon that it may not have come to listen. */
  startAndKill(ms: number): Promise<void>;
  /** SIGKILL; resolves when the process is gone. Rejects when it had ended on its own. */
  kill(): Promise<void>;
  /** Kills it, and closes the clients of all its lives. */
  dispose(): Promise<void>;
}

/** A temporary folder with certificates for every life of every server. */
export async function makeFolder(): Promise<{ directory: string; certificates: Certificates; remove: () => void }> {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-killed-"));
  const certificates = await loadCertificates({ directory });
  return { directory, certificates, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

export function createServerProcess(place: ServerPlace, certificates: Certificates): ServerProcess {
  const program = new URL("server-child.ts", import.meta.url);
  const clients: RemoteClient[] = [];
  let url = "";
  let child: ChildProcess | undefined;
  let said = "";

  function begin(): ChildProcess {
    said = "";
    // The flags of a test run are none of its business.
    child = fork(program, [JSON.stringify(place)], { execArgv: [], stdio: ["ignore", "ignore", "pipe", "ipc"] });
    child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    return child;
  }

  async function kill(): Promise<void> {
    if (child === undefined) return;
    const { exitCode, signalCode } = child;
    if (exitCode !== null || signalCode !== null) throw new Error(`ended with ${exitCode ?? signalCode}: ${said}`);
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    child = undefined;
  }

  return {
    url: () => url,
    pid: () => child?.pid ?? 0,
    client() {
      const newest = clients.at(-1);
      if (newest === undefined) throw new Error("there is no server yet");
      return newest;
    },
    async start() {
      const port = await listening(begin(), () => said);
      const { ca, admin } = certificates;
      url = `https://127.0.0.1:${port}`;
      clients.push(createRemoteClient({ server: url, ca, ...admin, name: "test" }));
    },
    async startAndKill(ms) {
      begin();
      await new Promise((resolve) => setTimeout(resolve, ms));
      await kill();
    },
    kill,
    async dispose() {
      await kill();
      for (const client of clients) client.close();
    },
  };
}

function listening(child: ChildProcess, said: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("message", ({ port }: { port: number }) => resolve(port));
    child.once("error", reject);
    child.once("exit", (code, signal) => reject(new Error(`the server ended with ${code ?? signal}: ${said()}`)));
  });
}
