import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program that must be on the PATH and the Debian package that brings it. */
export interface Tool {
  readonly program: string;
  readonly package: string;
}

/** What `fairlead up` needs as root; without root nothing here is used. */
export const upTools: readonly Tool[] = [
  { program: "ip", package: "iproute2" },
  { program: "nft", package: "nftables" },
  { program: "conntrack", package: "conntrack" },
  { program: "nsenter", package: "util-linux" },
  { program: "runc", package: "runc" },
  { program: "conmon", package: "conmon" },
  // Carries the input of `kubectl attach -i` and `kubectl run -i`.
  { program: "socat", package: "socat" },
];

/** What `fairlead up` needs besides for a proxy mode that is asked for by name. */
const iptablesTools: readonly Tool[] = [
  { program: "iptables-restore", package: "iptables" },
  { program: "iptables-save", package: "iptables" },
];
/** What tells neighbours where an outside address is, where there are some. */
export const outsideTools: readonly Tool[] = [{ program: "arping", package: "iputils-arping" }];

export const modeTools: Readonly<Record<string, readonly Tool[]>> = {
  iptables: iptablesTools,
  ipvs: [...iptablesTools, { program: "ipvsadm", package: "ipvsadm" }, { program: "ipset", package: "ipset" }],
};

/** What the end-to-end tests use besides. */
export const testTools: readonly Tool[] = [
  { program: "kubectl", package: "kubernetes-client" },
  { program: "curl", package: "curl" },
  { program: "dig", package: "bind9-dnsutils" },
  { program: "dnsperf", package: "dnsperf" },
  { program: "openssl", package: "openssl" },
  { program: "wrk", package: "wrk" },
  { program: "h2load", package: "nghttp2-client" },
  { program: "nginx", package: "nginx-light" },
  { program: "haproxy", package: "haproxy" },
  { program: "redis-server", package: "redis-server" },
  { program: "busybox", package: "busybox-static" },
  { program: "ping", package: "iputils-ping" },
  { program: "pgrep", package: "procps" },
  { program: "script", package: "bsdutils" },
  { program: "etcd", package: "etcd-server" },
  ...outsideTools,
];

/** Where a program is, or `undefined`. Looks into the administrator's folders too, which a user's PATH may lack. */
export function findProgram(program: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/local/sbin"];
  for (const folder of folders) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: the next folder.
    }
  }
  return undefined;
}

export function missingTools(tools: readonly Tool[]): Tool[] {
  return tools.filter((tool) => findProgram(tool.program) === undefined);
}

/** The line that installs these, for a person to type. */
export function installLine(tools: readonly Tool[]): string {
  const names = [...new Set(tools.map((tool) => tool.package))].join(" ");
  return `apt-get install --no-install-recommends -y ${names}`;
}

/** Debian asks this program whether a service may be started (invoke-rc.d, deb-systemd-invoke); 101 forbids it. */
const policyFile = "/usr/sbin/policy-rc.d";

/**
 * Installs the packages without starting any daemon they bring. Returns what went wrong, in one line, or `undefined`.
 * Only for root on a system with apt.
 */
export function installTools(tools: readonly Tool[]): string | undefined {
  if (findProgram("apt-get") === undefined) return `there is no apt-get here; install by hand: ${installLine(tools)}`;
  const forbid = !existsSync(policyFile);
  if (forbid) writeFileSync(policyFile, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    return runApt(tools);
  } finally {
    if (forbid) rmSync(policyFile, { force: true });
  }
}

function runApt(tools: readonly Tool[]): string | undefined {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const [command = "", ...words] = installLine(tools).split(" ");
  // The list of packages may be old or missing; an update that fails shows in the installation.
  spawnSync(command, ["update", "-q"], { env, stdio: "ignore" });
  const { status, stderr } = spawnSync(command, words, { env, encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  if (status === 0) return undefined;
  return `${installLine(tools)} failed: ${stderr?.trim().split("\n").at(-1) ?? ""}`;
}
