/** What a streaming request asks for, from its kubelet path and query. */
export type StreamRequest =
  | { readonly verb: "containerLogs"; readonly pod: PodName; readonly container: string; readonly logs: LogOptions }
  | {
      readonly verb: "exec" | "attach";
      readonly pod: PodName;
      readonly container: string;
      readonly command: readonly string[];
      readonly streams: CommandStreams;
    }
  | { readonly verb: "portForward"; readonly pod: PodName; readonly query: URLSearchParams };

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

export interface CommandStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface LogOptions {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  /** Only what the program wrote there; both by default. */
  readonly stream?: "stdout" | "stderr";
  readonly tailLines?: number;
  readonly limitBytes?: number;
  /** Milliseconds since the epoch: lines before are left out. */
  readonly since?: number;
}

/** The request behind a URL, or `undefined` for a path that is none. `now` in milliseconds. Pure. */
export function parseStreamRequest(url: string, now: number): StreamRequest | undefined {
  const parts = splitUrl(url);
  if (parts === undefined) return undefined;
  const { words, searchParams } = parts;
  const [verb, namespace, name, container, ...rest] = words;
  if (!namespace || !name || rest.length > 0) return undefined;
  const pod = { namespace, name };
  const flag = (...names: string[]) => names.some((one) => ["1", "true"].includes(searchParams.get(one) ?? ""));
  if (verb === "portForward") return { verb, pod, query: searchParams };
  if (!container) return undefined;
  if (verb === "containerLogs") return { verb, pod, container, logs: parseLogs(searchParams, flag, now) };
  if (verb !== "exec" && verb !== "attach") return undefined;
  const tty = flag("tty");
  const streams = {
    stdin: flag("input", "stdin"),
    stdout: flag("output", "stdout"),
    // A terminal has one output.
    stderr: flag("error", "stderr") && !tty,
    tty,
  };
  return { verb, pod, container, command: searchParams.getAll("command"), streams };
}

function splitUrl(url: string): { words: string[]; searchParams: URLSearchParams } | undefined {
  try {
    const { pathname, searchParams } = new URL(url, "http://agent");
    return { words: pathname.slice(1).split("/").map(decodeURIComponent), searchParams };
  } catch {
    // No URL, or one with an escape that stands for nothing.
    return undefined;
  }
}

function parseLogs(query: URLSearchParams, flag: (name: string) => boolean, now: number): LogOptions {
  const count = (name: string) => {
    const text = query.get(name);
    return text !== null && /^\d+$/.test(text) ? Number(text) : undefined;
  };
  const seconds = count("sinceSeconds");
  const time = Date.parse(query.get("sinceTime") ?? "");
  const since = seconds === undefined ? (Number.isNaN(time) ? undefined : time) : now - seconds * 1000;
  const tailLines = count("tailLines");
  const limitBytes = count("limitBytes");
  const stream = query.get("stream")?.toLowerCase();
  return {
    ...(stream === "stdout" || stream === "stderr" ? { stream } : {}),
    follow: flag("follow"),
    previous: flag("previous"),
    timestamps: flag("timestamps"),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(since === undefined ? {} : { since }),
  };
}
