/**
 * What a role tells the person (or script) who started it, as it happens. The command line renders these as marked
 * lines, plain lines or NDJSON; nothing below the roles prints.
 */
export type Report = (event: ReportEvent) => void;

export type ReportEvent =
  | { readonly type: "step"; readonly step: string; readonly text: string; readonly state: "begun" }
  | {
      readonly type: "step";
      readonly step: string;
      readonly text: string;
      readonly state: "done" | "failed" | "skipped";
      readonly ms: number;
    }
  /** Something the person should know that does not stop the run. */
  | { readonly type: "notice" | "warning"; readonly text: string }
  /** Something failed; `next` is what to do about it. */
  | { readonly type: "error"; readonly text: string; readonly next?: string }
  | { readonly type: "ready"; readonly reach: Reach; readonly ms: number };

/** What can be reached, and how: the table at the end of `up`, and what `status` prints. */
export interface Reach {
  readonly urls: readonly { readonly url: string; readonly backend: string; readonly endpoints: number }[];
  readonly services: readonly {
    readonly name: string;
    readonly type: string;
    readonly clusterIP: string;
    readonly ports: string;
    /** `http://172.30.0.11:30080` for each node port. */
    readonly nodePorts: readonly string[];
    readonly endpoints: number;
  }[];
  readonly nodes: readonly { readonly name: string; readonly address: string; readonly pods: number }[];
  readonly dns: string;
  readonly clusterDomain: string;
  /** The line that makes this machine ask cluster DNS for the cluster's names; not without nodes. */
  readonly hostLine?: string;
  readonly api: string;
  readonly kubeconfig: string;
}

/** A failure with a next step, for one clear line instead of a stack trace. */
export class RoleError extends Error {
  override readonly name = "RoleError";
  readonly next: string | undefined;

  constructor(text: string, next?: string) {
    super(text);
    this.next = next;
  }
}

/** Runs one step of a role, telling its begin, its end and its milliseconds. */
export async function step<T>(
  report: Report,
  name: string,
  text: string,
  work: (say: (text: string) => void) => Promise<T> | T,
): Promise<T> {
  const begun = performance.now();
  let last = text;
  report({ type: "step", step: name, text, state: "begun" });
  try {
    const result = await work((said) => (last = said));
    report({ type: "step", step: name, text: last, state: "done", ms: performance.now() - begun });
    return result;
  } catch (error) {
    report({ type: "step", step: name, text: last, state: "failed", ms: performance.now() - begun });
    throw error;
  }
}
