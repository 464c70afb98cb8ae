/**
 * What runs pods on one node, in the shape of Kubernetes' container runtime interface: the agent decides, this makes it
 * true. Whatever it makes outlives the agent and is found again by the next one. Calls for different pods may overlap.
 */
export interface RuntimeService {
  /** Network and names of a pod. Rejects when the network could not be made; nothing is left then. */
  runPodSandbox(config: SandboxConfig): Promise<Sandbox>;
  /** Kills what still runs in it and takes the network down; repeating it does no harm. */
  stopPodSandbox(id: string): Promise<void>;
  /** Forgets the sandbox and everything on disk of its containers. */
  removePodSandbox(id: string): Promise<void>;
  /** Rejects with `ContainerStartError` when the program cannot be made ready to run; nothing is left then. */
  createContainer(sandboxId: string, config: ContainerConfig): Promise<string>;
  /** Rejects with `ContainerStartError`. */
  startContainer(id: string): Promise<void>;
  /** Asks with SIGTERM, kills after `graceSeconds`; resolves when it has ended. */
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  listSandboxes(): readonly Sandbox[];
  listContainers(): readonly ContainerInfo[];
  container(id: string): ContainerInfo | undefined;
  /** Runs a command in a container to its end. */
  execSync(id: string, command: readonly string[], timeoutMs: number): Promise<ExecResult>;
  /** The program and arguments that run a command in a container on the streams of whoever starts them. */
  execArguments(
    id: string,
    command: readonly string[],
    terminal: boolean,
  ): {
    program: string;
    args: string[];
    /** After the end: why the command could not be run at all, if that is so. To be called once. */
    problem: () => string | undefined;
  };
  /** The container's log in CRI form. */
  logPath(id: string): string;
  /** Where the shim takes input for a container that was created with `stdin`. */
  attachPath(id: string): string;
  /** Sets the size of the terminal of a container created with `tty`. */
  resize(id: string, size: { columns: number; rows: number }): Promise<void>;
  /** Told after a container has ended. Returns how to stop it. */
  onExit(handler: (container: ContainerInfo) => void): () => void;
  /** Lets go of the containers; they run on. */
  close(): Promise<void>;
}

export interface SandboxConfig {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly attempt: number;
  readonly hostname: string;
  /** The pod lives in the node's own network. */
  readonly hostNetwork: boolean;
}

export interface Sandbox {
  readonly id: string;
  readonly config: SandboxConfig;
  readonly netns: string;
  readonly address: string;
  readonly state: "ready" | "stopped";
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface BindMount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface ContainerConfig {
  readonly name: string;
  readonly attempt: number;
  readonly image: string;
  /** Program and arguments; the program is looked up in the container's PATH. */
  readonly args: readonly string[];
  /** `NAME=value` lines. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: number;
  readonly group: number;
  readonly groups: readonly number[];
  readonly mounts: readonly BindMount[];
  /** Written into the container's own layer before it starts. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Its input ends when the first one that was attached to it goes. */
  readonly stdinOnce: boolean;
  readonly readOnlyRoot: boolean;
  readonly privileged: boolean;
  /** Where in the container the program may leave its last words. */
  readonly terminationMessagePath: string;
  readonly memoryBytes?: number;
  readonly milliCpu?: number;
}

export interface ContainerInfo {
  readonly id: string;
  readonly sandboxId: string;
  readonly config: ContainerConfig;
  readonly state: "created" | "running" | "exited";
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly exitCode?: number;
  /** The kernel killed it because it went over its memory limit. */
  readonly outOfMemory?: boolean;
  /** The container's init as this machine numbers processes. */
  readonly pid?: number;
  /** What the program left in its termination message file, 4096 bytes at most. */
  readonly lastWords?: string;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** A container whose program never ran. */
export class ContainerStartError extends Error {
  override readonly name = "ContainerStartError";
}
