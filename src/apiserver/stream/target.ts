import type { KubeObject, ObjectKey } from "#api/meta/object.ts";
import { isAsked } from "../http/options.ts";
import { ApiError } from "#api/meta/status.ts";
import type { Registry } from "../registry/registry.ts";
import { notFound } from "../registry/errors.ts";

export type StreamKind = "log" | "exec" | "attach" | "portforward";

type Pod = KubeObject & {
  spec: {
    nodeName?: string;
    containers?: Container[];
    initContainers?: Container[];
    ephemeralContainers?: Container[];
  };
};
type Container = { name: string };

/** The node that runs the Pod and the path there, as a kubelet serves it. */
export interface Target {
  /** `undefined`: the Pod has no node yet. */
  readonly node: string | undefined;
  /** `/exec/NAMESPACE/POD/CONTAINER?command=…`, with every part encoded. */
  readonly path: string;
}

const defaultContainer = "kubectl.kubernetes.io/default-container";

/**
 * Maps a Pod's subresource to the node's own API (`/containerLogs`, `/exec`, `/attach`, `/portForward`). Only known
 * parameters go on. Throws `NotFound` for a Pod that is not there and `BadRequest` in upstream's words for a container
 * that is none.
 */
export function targetOf(registry: Registry, key: ObjectKey, kind: StreamKind, query: URLSearchParams): Target {
  const pod = registry.get("Pod", key)?.object as Pod | undefined;
  if (pod === undefined) throw notFound(registry.definition("Pod").resource, key.name);
  const node = pod.spec.nodeName || undefined;
  const place = [key.namespace ?? "", key.name].map(encodeURIComponent).join("/");
  if (kind === "portforward") return { node, path: `/portForward/${place}${tail(pick(query, ["ports"]))}` };
  const container = encodeURIComponent(containerOf(pod, query.get("container") ?? "", kind));
  if (kind === "log") return { node, path: `/containerLogs/${place}/${container}${tail(pick(query, logParameters))}` };
  const streams = new URLSearchParams(query.getAll("command").map((word) => ["command", word]));
  for (const [asked, sent] of streamParameters) if (isAsked(query.get(asked))) streams.append(sent, "1");
  return { node, path: `/${kind}/${place}/${container}${tail(streams)}` };
}

const logParameters = [
  "follow",
  "tailLines",
  "timestamps",
  "sinceSeconds",
  "sinceTime",
  "limitBytes",
  "previous",
  "stream",
] as const;

const streamParameters = [
  ["stdin", "input"],
  ["stdout", "output"],
  ["stderr", "error"],
  ["tty", "tty"],
] as const;

function pick(query: URLSearchParams, names: readonly string[]): URLSearchParams {
  return new URLSearchParams([...query].filter(([name]) => names.includes(name)));
}

function tail(query: URLSearchParams): string {
  return query.size === 0 ? "" : `?${query.toString()}`;
}

function containerOf({ metadata, spec }: Pod, asked: string, kind: StreamKind): string {
  const main = spec.containers ?? [];
  const all = [...(spec.initContainers ?? []), ...main, ...(spec.ephemeralContainers ?? [])];
  const pod = metadata.name;
  if (asked !== "") {
    if (all.some(({ name }) => name === asked)) return asked;
    throw new ApiError("BadRequest", `container ${asked} is not valid for pod ${pod}`);
  }
  const annotated = metadata.annotations?.[defaultContainer];
  if (annotated !== undefined && main.some(({ name }) => name === annotated)) return annotated;
  const [first, second] = main;
  if (first === undefined) throw new ApiError("BadRequest", `pod ${pod} has no container`);
  if (second !== undefined && kind !== "attach") {
    const names = main.map(({ name }) => name).join(" ");
    throw new ApiError("BadRequest", `a container name must be specified for pod ${pod}, choose one of: [${names}]`);
  }
  return first.name;
}
