import { join } from "node:path";

/** Where everything of the pods of one cluster on this machine stands. */
export interface Layout {
  readonly clusterId: string;
  readonly dataDir: string;
  /** Folders of the machine that no container sees: this one, and the cluster's own with its keys. */
  readonly keptFrom: readonly string[];
  /** One state file a sandbox: `<id>.json`. */
  readonly sandboxes: string;
  /** One folder a container: state, OCI bundle, root, log. */
  readonly containers: string;
  /** conmon writes a container's exit code into a file with its id. */
  readonly exits: string;
  /** Per pod: volumes, hosts, resolv.conf. */
  readonly pods: string;
  /** Programs that run inside pods. */
  readonly programs: string;
  /** runc's own state; gone after a reboot, as the containers are. */
  readonly runcRoot: string;
  readonly sockets: string;
  /** The parent of every container's control group. */
  readonly cgroup: string;
}

/** `dataDir` must be absolute and free of the signs that mean something in mount options. */
export function layoutOf(clusterId: string, dataDir: string, keptFrom: readonly string[] = []): Layout {
  if (!dataDir.startsWith("/") || /[,:\\\n]/.test(dataDir)) {
    throw new RangeError(`data folder ${dataDir}: must be an absolute path without comma, colon or backslash`);
  }
  return {
    clusterId,
    dataDir,
    keptFrom: outermost([dataDir, ...keptFrom]),
    sandboxes: join(dataDir, "sandboxes"),
    containers: join(dataDir, "containers"),
    exits: join(dataDir, "exits"),
    pods: join(dataDir, "pods"),
    programs: join(dataDir, "programs"),
    runcRoot: `/run/fairlead-${clusterId}/runc`,
    sockets: `/run/fairlead-${clusterId}/conmon`,
    cgroup: `/fairlead-${clusterId}`,
  };
}

/** Without those inside another: one mount hides both. */
function outermost(folders: readonly string[]): string[] {
  const unique = [...new Set(folders)];
  return unique.filter((folder) => !unique.some((other) => folder.startsWith(`${other}/`)));
}

/** The files of one container. */
export function bundleOf(layout: Layout, id: string) {
  const folder = join(layout.containers, id);
  return {
    folder,
    state: join(folder, "state.json"),
    config: join(folder, "config.json"),
    root: join(folder, "root"),
    upper: join(folder, "upper"),
    work: join(folder, "work"),
    log: join(folder, "log"),
    pid: join(folder, "pid"),
    conmonPid: join(folder, "conmon.pid"),
    oom: join(folder, "oom"),
    lastWords: join(folder, "termination-log"),
    window: join(folder, "winsz"),
  };
}
