import type { Server } from "node:http";
import type { Log } from "#base/log.ts";
import { openPorts, type Place } from "./open.ts";
import { closeServer, serveOn, type Reply } from "./serve.ts";

/** Where a node's proxy says how it is. */
export interface Faces {
  readonly healthz?: Place;
  readonly metrics?: Place;
}

export interface NodeFaceOptions {
  readonly node: string;
  readonly netns?: string;
  readonly log: Log;
  readonly health: (path: "healthz" | "livez") => Reply;
  readonly metrics: () => string;
  readonly mode: () => string;
}

export interface NodeFace {
  /** Listens there and nowhere else. Answers one sentence for each port that cannot be had; the proxy works without. */
  bind(faces: Faces): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const plain = (status: number, body: string): Reply => ({ status, type: "text/plain; charset=utf-8", body });
const metricsType = "text/plain; version=0.0.4; charset=utf-8";

/**
 * The HTTP face of one node's proxy, with kube-proxy's ports and paths: `/healthz` and `/livez` on one, `/metrics`,
 * `/proxyMode` and a plain `/healthz` on the other (cmd/kube-proxy/app `server.go`).
 */
export function createNodeFace({ node, netns, log, health, metrics, mode }: NodeFaceOptions): NodeFace {
  const open = new Map<keyof Faces, { readonly at: string; readonly server: Server }>();
  let tail: Promise<readonly string[]> = Promise.resolve([]);

  const replies: Readonly<Record<keyof Faces, (path: string) => Reply>> = {
    healthz(path) {
      if (path === "/healthz" || path === "/livez") return health(path === "/livez" ? "livez" : "healthz");
      return plain(404, "404 page not found\n");
    },
    metrics(path) {
      if (path === "/metrics") return { status: 200, type: metricsType, body: metrics() };
      if (path === "/proxyMode") return plain(200, mode());
      return path === "/healthz" ? plain(200, "ok") : plain(404, "404 page not found\n");
    },
  };

  async function settle(faces: Faces): Promise<readonly string[]> {
    const problems: string[] = [];
    const missing: { part: keyof Faces; place: Place }[] = [];
    for (const part of ["healthz", "metrics"] as const) {
      const place = faces[part];
      const known = open.get(part);
      if (known !== undefined && known.at === textOf(place)) continue;
      open.delete(part);
      if (known !== undefined) await closeServer(known.server);
      if (place !== undefined) missing.push({ part, place });
    }
    const opened = await openPorts(
      netns,
      missing.map(({ place }) => place),
    );
    for (const [index, { part, place }] of missing.entries()) {
      const result = opened[index];
      if (result !== undefined && "socket" in result) {
        open.set(part, { at: textOf(place), server: serveOn(result, replies[part]) });
        continue;
      }
      problems.push(`${part}BindAddress cannot be had on node ${node}: ${result?.problem ?? "nothing was answered"}`);
    }
    for (const problem of problems) log.warn({ node }, problem);
    return problems;
  }

  return {
    bind: (faces) => (tail = tail.then(() => settle(faces))),
    stop: async () => void (await (tail = tail.then(() => settle({})))),
  };
}

function textOf(place: Place | undefined): string {
  return place === undefined ? "" : `${place.address} ${place.port}`;
}
