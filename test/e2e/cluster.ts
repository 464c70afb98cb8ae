import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findProgram } from "#roles/packages.ts";
import type { Reach, ReportEvent } from "#roles/report.ts";
import { eventually } from "../fakes/eventually.ts";

export { eventually };

/** A cluster of `fairlead up`, run as a person would run it, and the tools a person would look at it with. */
export interface TestCluster {
  readonly dataDir: string;
  readonly pid: number;
  readonly events: readonly ReportEvent[];
  readonly reach: Reach;
  /** Runs kubectl; fails the test when it fails. */
  kubectl(...args: string[]): string;
  /** Runs kubectl with this on its standard input. */
  kubectlWith(input: string, ...args: string[]): string;
  tryKubectl(...args: string[]): Outcome;
  /** What processes need that use this cluster. */
  readonly env: NodeJS.ProcessEnv;
  /** Ends the process at once, as a power cut would. */
  kill(): Promise<void>;
  /** `fairlead down --purge`; fails the test when something is left. */
  purge(): Promise<void>;
}

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ClusterOptions {
  args?: string[];
  manifests?: string[];
  /** Another kubectl than the machine's. */
  kubectl?: string;
  dataDir?: string;
}

const program = join(import.meta.dirname, "../../bin/fairlead.ts");

/** Why clusters cannot run here, or `false`: the value for a test's `skip`. */
export function whyNoCluster(): string | false {
  if (process.getuid?.() !== 0) return "needs root";
  for (const tool of ["ip", "nft", "runc", "conmon", "kubectl", "curl"]) {
    if (findProgram(tool) === undefined) return `needs ${tool}`;
  }
  return false;
}

/** Why pages that show what today's kubectl prints cannot be held against this machine's, or `false`. */
export function whyNoRecentKubectl(): string | false {
  const { stdout } = run("kubectl", ["version", "--client", "-o", "json"]);
  const minor = Number(/"minor": "(\d+)/.exec(stdout)?.[1] ?? 0);
  return minor >= 27 ? false : `kubectl is 1.${minor}, whose words are older than those of the pages`;
}

/** Starts a cluster and resolves when it reports that it is ready. */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "fairlead-e2e-"));
  const home = mkdtempSync(join(tmpdir(), "fairlead-home-"));
  const args = ["up", ...(options.manifests ?? []), "--data-dir", dataDir, "--json", ...(options.args ?? [])];
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const events: ReportEvent[] = [];
  const reach = await readyOf(child, events);
  const env = { ...process.env, KUBECONFIG: reach.kubeconfig, HOME: home };
  const kubectl = options.kubectl ?? "kubectl";
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));

  const cluster: TestCluster = {
    dataDir,
    pid: child.pid ?? 0,
    events,
    reach,
    env,
    kubectl: (...args) => must(run(kubectl, args, { env }), `kubectl ${args.join(" ")}`),
    kubectlWith: (input, ...args) => must(run(kubectl, args, { env, input }), `kubectl ${args.join(" ")}`),
    tryKubectl: (...args) => run(kubectl, args, { env }),
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    async purge() {
      const outcome = run(process.execPath, [program, "down", "--purge", "--data-dir", dataDir]);
      must(outcome, "fairlead down --purge");
      assert.match(outcome.stdout, /Checked: no process, mount, cgroup, namespace, link, route, rule or file is left/);
      await exited;
      rmSync(home, { recursive: true, force: true });
    },
  };
  return cluster;
}

/** A cluster for one test: whatever the test does, the cluster is gone afterwards, and nothing of it is left. */
export async function withCluster(
  options: ClusterOptions,
  use: (cluster: TestCluster) => void | Promise<void>,
): Promise<void> {
  const cluster = await startCluster(options);
  try {
    await use(cluster);
  } finally {
    await cluster.purge();
  }
}

async function readyOf(child: ChildProcess, events: ReportEvent[]): Promise<Reach> {
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(late);
      reject(new Error(`fairlead up ${why}\n${stderr}\n${JSON.stringify(events, undefined, 1)}`));
    };
    const late = setTimeout(() => fail("was not ready in 120 s"), 120_000);
    child.once("exit", (code) => fail(`ended with code ${code}`));
    if (child.stdout === null) return fail("has no output");
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event = JSON.parse(line) as ReportEvent;
      events.push(event);
      if (event.type !== "ready") return;
      clearTimeout(late);
      child.removeAllListeners("exit");
      resolve(event.reach);
    });
  });
}

/** Runs a program to its end, for at most a minute. */
export function run(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; input?: string } = {},
): Outcome {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  return { status: status ?? 1, stdout: stdout ?? "", stderr: `${stderr ?? ""}${error ? String(error) : ""}` };
}

function must({ status, stdout, stderr }: Outcome, what: string): string {
  assert.equal(status, 0, `${what} answered ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** The body of a GET; fails the test when there is no answer. Further arguments are curl's. */
export function curl(url: string, ...args: string[]): string {
  return must(run("curl", ["-sS", "--max-time", "10", ...args, url]), `curl ${args.join(" ")} ${url}`);
}

/** The bodies of many GETs, one after the other, each over a connection of its own. */
export function curlMany(url: string, times: number): string {
  const urls = Array.from({ length: times }, () => url);
  return curl(url, "-H", "Connection: close", ...urls.slice(1));
}

/** Status code and body; code 0 when there is no answer. */
export function curlStatus(url: string, ...args: string[]): { code: number; body: string } {
  const { stdout } = run("curl", ["-s", "--max-time", "5", "-w", "\n%{http_code}", ...args, url]);
  const at = stdout.lastIndexOf("\n");
  return { code: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) };
}

/** A table of kubectl as rows by column name. */
export function rowsOf(table: string): Record<string, string>[] {
  const [head = "", ...lines] = table.trimEnd().split("\n");
  const columns = [...head.matchAll(/\S+(?: \S+)*/g)].map((match) => ({ name: match[0], at: match.index }));
  return lines.map((line) =>
    Object.fromEntries(columns.map(({ name, at }, index) => [name, line.slice(at, columns[index + 1]?.at).trim()])),
  );
}

/** Writes a manifest for one test; the name is the file's. */
export function manifestFile(name: string, text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "fairlead-manifest-")), name);
  writeFileSync(file, text);
  return file;
}
