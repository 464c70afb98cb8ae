import type { Socket } from "node:net";
import { apiVersionOf, type ServedKind } from "#api/kinds.ts";
import { ApiError } from "#api/meta/status.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Form } from "../http/negotiate.ts";
import { commonHeaders } from "../http/respond.ts";
import { renderedOnce, type EventType, type Item } from "../registry/item.ts";
import { includeOf } from "./render.ts";
import { partialOf, servedBytes } from "./served.ts";
import { tableOf } from "./table.ts";
import { readWatchWish } from "./watch-options.ts";

/** A watcher that lets this much pile up is dropped; it lists again or resumes. */
const backlogLimit = 16 * 1024 * 1024;
const bookmarkMs = 60_000;

/** GET of a collection with `watch=true`: one JSON document a line, until either side ends it. */
export async function answerWatch(
  exchange: Exchange,
  served: ServedKind,
  scope: { namespace?: string; name?: string },
  form: Form,
): Promise<void> {
  const { registry } = exchange.parts;
  const { kind } = served.definition.resource;
  const wish = await readWatchWish(registry, exchange.query, scope);
  const lineOf = createLines(exchange, served, form);
  const stream = createStream(exchange, kind);
  const bookmark = (revision: number, annotations?: Record<string, string>) => {
    const metadata = {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(annotations && { annotations }),
    };
    stream.write(eventLine("BOOKMARK", JSON.stringify({ kind, apiVersion: apiVersionOf(served.version), metadata })));
  };
  let isInitial = wish.query.since === undefined;

  // Selectors are compiled here, before the answer's head is sent, so that a wrong one is a 400.
  const stop = registry.watch(kind, wish.query, {
    event(type, item) {
      try {
        stream.write(lineOf(type, item, isInitial));
      } catch (error) {
        exchange.parts.log.error({ kind, key: item.key, error: String(error) }, "an object cannot be shown to a watch");
        stream.drop();
      }
    },
    started(revision) {
      isInitial = false;
      if (wish.marksStart) bookmark(revision, { "k8s.io/initial-events-end": "true" });
    },
    expired() {
      const text = `too old resource version: ${wish.query.since} (${registry.revision()})`;
      stream.write(eventLine("ERROR", JSON.stringify(new ApiError("Expired", text).toStatus())));
      stream.end();
    },
  });
  let cancelBookmark = () => {};
  const everyMinute = () => {
    cancelBookmark = registry.clock.after(bookmarkMs, () => {
      bookmark(registry.revision());
      everyMinute();
    });
  };
  if (wish.bookmarks) everyMinute();
  const cancelTimeout = registry.clock.after(wish.timeoutMs, () => {
    if (wish.bookmarks) bookmark(registry.revision());
    stream.end();
  });
  stream.open(() => {
    stop();
    cancelBookmark();
    cancelTimeout();
  });
}

/** An event's line, and the same as a chunk of HTTP/1.1: made once for all who hear of it. */
interface Line {
  readonly text: Buffer;
  readonly chunk: Buffer;
}

interface Stream {
  /** Sends the head; `finished` is called once when the stream is over, from whichever side. */
  open(finished: () => void): void;
  write(line: Line): void;
  end(): void;
  /** Breaks off without a proper end. */
  drop(): void;
}

function createStream(exchange: Exchange, kind: string): Stream {
  const { parts, response, user } = exchange;
  let over = false;
  let tell = () => {};
  /** Where chunks may be put by ourselves: Node would frame each of them anew for each watcher, in four writes. */
  let socket: Socket | undefined;
  const finish = () => {
    if (over) return;
    over = true;
    parts.open.delete(stream.end);
    tell();
  };
  const stream = {
    open(finished: () => void) {
      tell = finished;
      response.writeHead(200, { ...commonHeaders(exchange), "Content-Type": "application/json" });
      response.flushHeaders();
      if (response.chunkedEncoding) socket = response.socket ?? undefined;
      parts.open.add(stream.end);
      response.on("close", finish);
      // The client may have gone while the answer was prepared; its `close` is past then.
      if (response.destroyed) finish();
    },
    write({ text, chunk }: Line) {
      if (over || response.destroyed) return;
      if (socket === undefined) response.write(text);
      else socket.write(chunk);
      if ((socket ?? response).writableLength <= backlogLimit) return;
      parts.log.info({ kind, user: user.name }, "a watch was dropped: its client does not read");
      stream.drop();
    },
    end: () => {
      finish();
      response.end();
    },
    drop() {
      finish();
      response.destroy();
    },
  };
  return stream;
}

/** How an event becomes a line. What is new goes to every watcher in the same bytes; the state at the start to one. */
function createLines(exchange: Exchange, served: ServedKind, form: Form) {
  const include = includeOf(exchange);
  const { clock } = exchange.parts.registry;
  const bytesOf = (item: Item): Buffer | string => {
    if (form.as === "object") return servedBytes(served, item);
    if (form.as === "partial") return JSON.stringify(partialOf(item, form.apiVersion));
    const resourceVersion = item.object.metadata.resourceVersion ?? "";
    return JSON.stringify(tableOf(served, [item], form.apiVersion, include, clock.now(), { resourceVersion }));
  };
  const shared = `${form.as} ${form.apiVersion} ${apiVersionOf(served.version)}`;
  const names = { ADDED: `ADDED ${shared}`, MODIFIED: `MODIFIED ${shared}`, DELETED: `DELETED ${shared}` };
  return (type: EventType, item: Item, isInitial: boolean): Line =>
    // Tables hold ages and are never kept.
    isInitial || form.as === "table"
      ? eventLine(type, bytesOf(item))
      : renderedOnce(item, names[type], () => eventLine(type, bytesOf(item)));
}

function eventLine(type: string, object: Buffer | string): Line {
  const head = `{"type":"${type}","object":`;
  const length = head.length + Buffer.byteLength(object) + 2;
  const size = `${length.toString(16)}\r\n`;
  const start = size.length;
  const chunk = Buffer.allocUnsafe(start + length + 2);
  chunk.write(size + head, "latin1");
  const at = start + head.length;
  if (typeof object === "string") chunk.write(object, at);
  else chunk.set(object, at);
  chunk.write("}\n\r\n", start + length - 2, "latin1");
  return { text: chunk.subarray(start, start + length), chunk };
}
