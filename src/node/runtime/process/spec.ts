import { basename, posix } from "node:path";
import type { ContainerConfig } from "../contract.ts";
import type { Layout } from "./layout.ts";

/** What a container may do as root: containerd's default list. */
const capabilities = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];
const privilegedCapabilities = [...capabilities, "CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_IPC_LOCK"];

/** Folders that get an empty file system of the container's own, so that nothing of the machine's shows through. */
const emptied = [
  "/run",
  "/tmp",
  "/var/tmp",
  "/root",
  "/home",
  "/mnt",
  "/media",
  "/srv",
  "/var/log",
  "/var/spool",
  "/var/lib/mysql",
  "/var/lib/redis",
];
/** What of the machine a pod runs with: its programs and their settings. Every other folder of `/` is emptied too. */
const shown = new Set(["bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "opt", "var", "nix", "gnu"]);
/** Mounted anew for each container, or made on the way there. */
const own = new Set(["proc", "sys", "dev"]);
/** Of the machine, and no business of a pod: secrets, and what other programs of its kind keep. */
const hidden = [
  "/etc/shadow",
  "/etc/shadow-",
  "/etc/gshadow",
  "/etc/gshadow-",
  "/etc/ssh",
  "/etc/ssl/private",
  "/etc/kubernetes",
  "/etc/rancher",
  "/etc/sudoers.d",
  "/etc/sudoers",
  "/etc/letsencrypt",
  "/etc/wireguard",
  "/etc/openvpn",
  "/etc/ipsec.d",
  "/etc/ipsec.secrets",
  "/etc/ppp",
  "/etc/NetworkManager/system-connections",
  "/etc/wpa_supplicant",
  "/etc/krb5.keytab",
  "/etc/credstore",
  "/etc/credstore.encrypted",
  "/etc/apt/auth.conf",
  "/etc/apt/auth.conf.d",
  "/etc/docker",
  "/etc/cni",
  "/var/backups",
  "/var/mail",
  "/var/cache/debconf",
  "/var/lib/cloud",
  "/var/lib/NetworkManager",
  "/var/lib/libvirt",
  "/var/lib/lxc",
  "/var/lib/lxd",
  "/var/lib/postgresql",
  "/var/lib/private",
  "/var/lib/systemd",
  "/var/lib/kubelet",
  "/var/lib/containerd",
  "/var/lib/docker",
  "/var/lib/etcd",
  "/var/lib/rancher",
  "/var/lib/fairlead",
  "/boot",
];
const maskedKernel = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
];
const readOnlyKernel = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

export interface SpecInput {
  readonly config: ContainerConfig;
  readonly layout: Layout;
  readonly id: string;
  readonly podUid: string;
  readonly hostname: string;
  readonly netns: string;
  readonly root: string;
  /** The folders right below `/` on the machine. */
  readonly topFolders: readonly string[];
  /** On the machine; bound to the container's `terminationMessagePath`. */
  readonly lastWords: string;
}

/** The OCI runtime configuration (runtime-spec 1.0) of a container. Pure. */
export function compileSpec(input: SpecInput): object {
  const { config, layout, id, podUid, hostname, netns, root, topFolders, lastWords } = input;
  const granted = config.privileged ? privilegedCapabilities : capabilities;
  const secrets = hide(config);
  const held = config.user === 0 ? granted : [];
  const others = topFolders.filter((name) => !shown.has(name) && !own.has(name)).map((name) => `/${name}`);
  const empty = [...new Set([...emptied, ...others])].sort();
  const kept = layout.keptFrom.filter((folder) => !empty.some((parent) => isInside(folder, parent)));
  return {
    ociVersion: "1.0.2",
    hostname,
    root: { path: basename(root), readonly: config.readOnlyRoot },
    process: {
      terminal: config.tty,
      user: { uid: config.user, gid: config.group, additionalGids: config.groups },
      args: config.args,
      env: config.env,
      cwd: config.cwd,
      noNewPrivileges: false,
      // No rlimits: one above the agent's own hard limit would make every container fail.
      capabilities: { bounding: granted, permitted: held, effective: held },
    },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
      tmpfs("/dev", "mode=755", "size=65536k"),
      {
        destination: "/dev/pts",
        type: "devpts",
        source: "devpts",
        options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
      },
      tmpfs("/dev/shm", "mode=1777", "size=65536k", "noexec", "nodev"),
      { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
      {
        destination: "/sys",
        type: "sysfs",
        source: "sysfs",
        options: ["nosuid", "noexec", "nodev", config.privileged ? "rw" : "ro"],
      },
      ...empty.map((folder) => tmpfs(folder, folder.endsWith("tmp") ? "mode=1777" : "mode=755", "nodev")),
      ...kept.map((folder) => tmpfs(folder, "mode=000", "size=4k", "ro")),
      ...secrets.emptied.map((folder) => tmpfs(folder, "mode=755", "nodev")),
      ...config.mounts.map(({ source, target, readOnly }) => bind(source, target, readOnly)),
      ...(config.terminationMessagePath === "" ? [] : [bind(lastWords, config.terminationMessagePath, false)]),
    ],
    linux: {
      namespaces: [
        { type: "mount" },
        { type: "pid" },
        { type: "ipc" },
        { type: "uts" },
        { type: "network", path: netns },
      ],
      cgroupsPath: `${layout.cgroup}/${podUid}/${id}`,
      resources: compileResources(config),
      ...(config.privileged
        ? {}
        : { maskedPaths: [...maskedKernel, ...secrets.masked], readonlyPaths: readOnlyKernel }),
    },
  };
}

/**
 * Masks are put up last, over everything. A volume in a hidden folder must still be seen, so such a folder is emptied
 * before instead; and one that a volume takes the place of needs neither.
 */
function hide({ mounts }: ContainerConfig): { masked: string[]; emptied: string[] } {
  const targets = mounts.map(({ target }) => posix.join("/", target).replace(/(.)\/$/, "$1"));
  const open = hidden.filter((path) => !targets.some((target) => isInside(path, target)));
  const isEntered = (path: string) => targets.some((target) => isInside(target, path));
  return { masked: open.filter((path) => !isEntered(path)), emptied: open.filter(isEntered) };
}

function tmpfs(destination: string, ...options: string[]): object {
  return { destination, type: "tmpfs", source: "tmpfs", options: ["nosuid", ...options] };
}

function bind(source: string, destination: string, readOnly: boolean): object {
  return { destination, type: "bind", source, options: ["rbind", "rprivate", readOnly ? "ro" : "rw"] };
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** A container that forks without end must not take the machine along. */
const processLimit = 4096;

/** Limits as the kubelet sets them: a period of 100 ms, and never less than 1 ms of it. */
function compileResources({ memoryBytes, milliCpu, privileged }: ContainerConfig): object {
  const period = 100_000;
  return {
    devices: privileged ? [{ allow: true, access: "rwm" }] : [{ allow: false, access: "rwm" }],
    pids: { limit: processLimit },
    ...(memoryBytes === undefined ? {} : { memory: { limit: memoryBytes } }),
    ...(milliCpu === undefined
      ? {}
      : { cpu: { period, quota: Math.max(1000, Math.round((milliCpu * period) / 1000)) } }),
  };
}
