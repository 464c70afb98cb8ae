import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "#roles/packages.ts";

/** One kubectl to test with, or why there is none. */
export interface Kubectl {
  readonly name: string;
  /** Old ones know fewer commands; lines of the table say which they are for. */
  readonly age: "old" | "new";
  readonly path?: string;
  readonly missing?: string;
}

const cache = new URL("../../../node_modules/.cache/kubectl-debian/", import.meta.url).pathname;
const unpacked = join(cache, "usr/bin/kubectl");

/** The machine's own kubectl, and Debian's, which stayed at 1.20 and speaks as clients did then. */
export function findKubectls(): Kubectl[] {
  const own = findProgram("kubectl");
  const machine: Kubectl =
    own === undefined
      ? { name: "the machine's kubectl", age: "new", missing: "there is no kubectl on the PATH" }
      : { name: "the machine's kubectl", age: isOld(own) ? "old" : "new", path: own };
  const debian = { name: "Debian's kubectl 1.20", age: "old" } as const;
  if (existsSync(unpacked)) return [machine, { ...debian, path: unpacked }];
  return [machine, { ...debian, missing: "Debian's package is not here; as root, with a network, run: npm run setup" }];
}

/**
 * Unpacks Debian's package into the cache, without installing it; the tests themselves run where there is no network.
 * Returns why it could not, in one line. For root on a system with apt.
 */
export function fetchDebianKubectl(): string | undefined {
  if (existsSync(unpacked)) return undefined;
  const get = findProgram("apt-get");
  const unpack = findProgram("dpkg-deb");
  if (get === undefined || unpack === undefined) return "there is no apt-get here to fetch Debian's package with";
  mkdirSync(cache, { recursive: true });
  const apt = (...words: string[]) => {
    const args = ["-q", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=15", ...words];
    return spawnSync(get, args, { cwd: cache, encoding: "utf8", timeout: 60_000 });
  };
  const isPackage = (name: string) => name.endsWith(".deb");
  let { stderr } = apt("download", "kubernetes-client");
  if (!readdirSync(cache).some(isPackage)) {
    // The lists of a fresh machine may be empty or old.
    apt("update");
    ({ stderr } = apt("download", "kubernetes-client"));
  }
  const file = readdirSync(cache).find(isPackage);
  if (file === undefined)
    return `apt-get download kubernetes-client failed: ${stderr?.trim().split("\n").at(-1) ?? ""}`;
  spawnSync(unpack, ["-x", join(cache, file), cache]);
  rmSync(join(cache, file));
  return existsSync(unpacked) ? undefined : `${file} holds no kubectl`;
}

function isOld(path: string): boolean {
  const { stdout } = spawnSync(path, ["version", "--client", "-o", "json"], { encoding: "utf8", timeout: 20_000 });
  const minor = Number(/"minor": "(\d+)/.exec(stdout ?? "")?.[1] ?? 99);
  return minor < 30;
}
