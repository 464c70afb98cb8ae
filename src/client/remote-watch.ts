import type { ClientRequest, IncomingMessage } from "node:http";
import { StringDecoder } from "node:string_decoder";
import type { KubeObject } from "#api/meta/object.ts";
import { isApiError, type ApiError, type Status } from "#api/meta/status.ts";
import type { WatchEnd, WatchEvent, WatchSink } from "./contract.ts";
import { received } from "./received.ts";
import { errorOf, type Connection } from "./remote-connection.ts";

/** One object of a watch's stream is one line; a longer one than this is no Kubernetes object. */
const lineLimit = 32 * 1024 * 1024;

interface RemoteWatch {
  readonly connection: Connection;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly since: string;
  readonly sink: WatchSink<KubeObject>;
}

/** One watch over one connection, line by line, until either side ends it. The function returned ends it. */
export function watchRemotely({ connection, path, query, since, sink }: RemoteWatch): () => void {
  query.set("watch", "true");
  query.set("allowWatchBookmarks", "true");
  query.set("resourceVersion", since);
  let ended = false;
  let request: ClientRequest | undefined;

  const end = (reason: WatchEnd) => {
    if (ended) return;
    ended = true;
    request?.destroy();
    sink.end(reason);
  };

  const line = (text: string) => {
    if (ended || text === "") return;
    const { type, object } = JSON.parse(text) as { type: string; object: KubeObject | Status };
    if (type === "ERROR") {
      const status = object as Status;
      const error = errorOf(status.code ?? 500, JSON.stringify(status));
      end(isApiError(error, "Expired", "Gone") ? { reason: "expired" } : { reason: "failed", error });
    } else if (type === "BOOKMARK") {
      sink.bookmark?.((object as KubeObject).metadata.resourceVersion ?? since);
    } else sink.event({ type, object: received(object as KubeObject) } as WatchEvent<KubeObject>);
  };

  const answer = (response: IncomingMessage) => {
    const decoder = new StringDecoder("utf8");
    let rest = "";
    response.on("data", (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split("\n");
      rest = lines.pop() ?? "";
      try {
        for (const text of lines) line(text);
        if (rest.length > lineLimit) throw new Error(`a line is longer than ${lineLimit} bytes`);
      } catch (error) {
        end({ reason: "failed", error: errorOf(500, `the watch cannot be read: ${String(error)}`) });
      }
    });
    response.on("end", () => end({ reason: "closed" }));
    response.on("error", () => end({ reason: "closed" }));
    response.on("close", () => end({ reason: "closed" }));
  };

  const failed = (error: ApiError) =>
    end(isApiError(error, "Expired", "Gone") ? { reason: "expired" } : { reason: "failed", error });
  try {
    request = connection.open(`${path}?${query.toString()}`, { answer, failed });
  } catch (error) {
    if (!isApiError(error)) throw error;
    // Told after this call has returned, like every other end.
    queueMicrotask(() => failed(error));
  }
  return () => {
    ended = true;
    request?.destroy();
  };
}
