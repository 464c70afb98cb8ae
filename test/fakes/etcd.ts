import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "#roles/packages.ts";

/** A real etcd of one member on a free port of loopback, its data in a temporary folder. */
export interface TestEtcd {
  readonly url: string;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** On the same folder and port; resolves when it serves. */
  start(): Promise<void>;
  /** Ends it, if it runs, and removes the folder. */
  dispose(): Promise<void>;
}

/** A reason to skip, or `false`. */
export function whyNoEtcd(): string | false {
  return findProgram("etcd") === undefined && "there is no etcd on this machine (Debian package etcd-server)";
}

/** `flags` are added to etcd's own, e.g. for TLS; the URL is https then. */
export async function startEtcd(flags: readonly string[] = []): Promise<TestEtcd> {
  const scheme = flags.includes("--cert-file") ? "https" : "http";
  const url = `${scheme}://127.0.0.1:${await freePort()}`;
  // Alone, it needs no time to be elected, and its peers' port is of no use.
  const alone = ["--listen-peer-urls", "http://127.0.0.1:0", "--heartbeat-interval", "10", "--election-timeout", "100"];
  const member = createMember(url, [...alone, ...flags]);
  await member.start();
  return member;
}

/** A real etcd of several members, each a process of its own. */
export async function startEtcdMembers(count: number): Promise<readonly TestEtcd[]> {
  const places = await Promise.all(
    Array.from({ length: count }, async (_, index) => ({
      name: `m${index}`,
      url: `http://127.0.0.1:${await freePort()}`,
      peer: `http://127.0.0.1:${await freePort()}`,
    })),
  );
  const cluster = ["--initial-cluster", places.map(({ name, peer }) => `${name}=${peer}`).join(",")];
  const timing = ["--heartbeat-interval", "50", "--election-timeout", "500"];
  const members = places.map(({ name, url, peer }) => {
    const peers = ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer];
    return createMember(url, ["--name", name, ...peers, ...cluster, ...timing]);
  });
  try {
    // None serves before most are there.
    await Promise.all(members.map((member) => member.start()));
  } catch (error) {
    await Promise.all(members.map((member) => member.dispose()));
    throw error;
  }
  return members;
}

function createMember(url: string, flags: readonly string[]): TestEtcd {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-etcd-"));
  let child: ChildProcess | undefined;

  async function end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }

  return {
    url,
    async start() {
      const own = ["--data-dir", directory, "--listen-client-urls", url, "--advertise-client-urls", url];
      const logging = ["--logger", "zap", "--log-outputs", "stderr"];
      child = spawn(findProgram("etcd") ?? "etcd", [...own, ...logging, ...flags], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      await serving(child);
    },
    kill: () => end("SIGKILL"),
    async dispose() {
      await end("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function serving(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      if (said.includes("serving client traffic")) return;
      said += chunk.toString();
      if (said.includes("serving client traffic")) resolve();
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`etcd ended with ${code}: ${said.slice(-2000)}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
