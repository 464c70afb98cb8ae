import { apiVersionOf, type ServedKind } from "#api/kinds.ts";
import type { FieldError } from "#api/meta/field-error.ts";
import { ApiError, invalid, type Status } from "#api/meta/status.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Form } from "../http/negotiate.ts";
import { writeCommonHeaders } from "../http/respond.ts";
import { renderedOnce, type EventType, type Item } from "../registry/item.ts";
import { parseRevision } from "./list.ts";
import { includeOf } from "./render.ts";
import { partialOf, servedBytes } from "./served.ts";
import { tableOf } from "./table.ts";

/** A watcher that lets this much pile up is dropped; it lists again or resumes. */
const backlogLimit = 16 * 1024 * 1024;
const bookmarkMs = 60_000;
/** Without `timeoutSeconds` a watch ends after half an hour to an hour, spread by chance. */
const minTimeoutMs = 30 * 60_000;

/** GET of a collection with `watch=true`: one JSON document a line, until either side ends it. */
export async function answerWatch(
  exchange: Exchange,
  served: ServedKind,
  scope: { namespace?: string; name?: string },
  form: Form,
): Promise<void> {
  const { parts, query, response, request } = exchange;
  const { registry } = parts;
  const { kind } = served.definition.resource;
  const initialEvents = checkWatchOptions(query);
  const version = query.get("resourceVersion") ?? "";
  const asked = version === "" ? 0 : parseRevision(version);
  if (initialEvents === true) await registry.reached(asked);
  const since = sinceOf(asked, initialEvents, registry.revision());
  const fieldSelector = [
    query.get("fieldSelector") ?? "",
    scope.name === undefined ? "" : `metadata.name=${scope.name}`,
  ];
  const selection = {
    ...(scope.namespace === undefined ? {} : { namespace: scope.namespace }),
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: fieldSelector.filter((text) => text !== "").join(","),
    ...(since === undefined ? {} : { since }),
  };
  const bookmarks = ["true", "1"].includes(query.get("allowWatchBookmarks") ?? "");
  const include = includeOf(exchange);
  let isInitial = since === undefined;

  const bytesOf = (item: Item): Buffer | string => {
    if (form.as === "object") return servedBytes(served, item);
    if (form.as === "partial") return JSON.stringify(partialOf(item.object, form.apiVersion));
    const resourceVersion = item.object.metadata.resourceVersion ?? "";
    const table = tableOf(served, [item], form.apiVersion, include, registry.clock.now(), { resourceVersion });
    return JSON.stringify(table);
  };
  const lineOf = (type: EventType, item: Item): Buffer =>
    // What is new goes to every watcher in the same bytes; the state at the start is told to one.
    isInitial || form.as === "table"
      ? eventLine(type, bytesOf(item))
      : renderedOnce(item, `${type} ${form.as} ${apiVersionOf(served.version)}`, () => eventLine(type, bytesOf(item)));

  const write = (line: Buffer) => {
    if (response.destroyed || response.writableEnded) return;
    response.write(line);
    if (response.writableLength <= backlogLimit) return;
    parts.log.info({ kind, user: exchange.user.name }, "a watch was dropped: its client does not read");
    finish();
    response.destroy();
  };
  const bookmark = (revision: number, annotations?: Record<string, string>) => {
    const metadata = {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(annotations && { annotations }),
    };
    write(eventLine("BOOKMARK", JSON.stringify({ kind, apiVersion: apiVersionOf(served.version), metadata })));
  };

  let stop = () => {};
  let cancelBookmark = () => {};
  let ended = false;
  const finish = () => {
    if (ended) return;
    ended = true;
    stop();
    cancelBookmark();
    cancelTimeout();
    parts.open.delete(end);
  };
  const end = () => {
    finish();
    response.end();
  };
  const everyMinute = () => {
    cancelBookmark = registry.clock.after(bookmarkMs, () => {
      bookmark(registry.revision());
      everyMinute();
    });
  };

  // Selectors are compiled before the answer starts, so that a wrong one is a 400.
  stop = registry.watch(kind, selection, {
    event(type, item) {
      try {
        write(lineOf(type, item));
      } catch (error) {
        parts.log.error({ kind, key: item.key, error: String(error) }, "an object cannot be shown to a watch");
        finish();
        response.destroy();
      }
    },
    started(revision) {
      isInitial = false;
      if (initialEvents === true && bookmarks) bookmark(revision, { "k8s.io/initial-events-end": "true" });
    },
    expired() {
      const text = `too old resource version: ${since} (${registry.revision()})`;
      write(eventLine("ERROR", JSON.stringify(new ApiError("Expired", text).toStatus() satisfies Status)));
      end();
    },
  });
  writeCommonHeaders(exchange);
  response.writeHead(200, { "Content-Type": "application/json", "Transfer-Encoding": "chunked" });
  response.flushHeaders();
  const cancelTimeout = registry.clock.after(timeoutOf(query), () => {
    if (bookmarks) bookmark(registry.revision());
    end();
  });
  if (bookmarks) everyMinute();
  parts.open.add(end);
  response.on("close", finish);
  // The client may have gone while the answer was prepared; its `close` is past then.
  if (response.destroyed) finish();
  request.on("error", finish);
}

function eventLine(type: string, object: Buffer | string): Buffer {
  const head = `{"type":"${type}","object":`;
  return typeof object === "string"
    ? Buffer.from(`${head}${object}}\n`)
    : Buffer.concat([Buffer.from(head), object, Buffer.from("}\n")]);
}

function sinceOf(asked: number, initialEvents: boolean | undefined, now: number): number | undefined {
  if (initialEvents === true) return undefined;
  if (asked > 0) return asked;
  return initialEvents === false ? now : undefined;
}

/** Whether the state at the start is asked for by `sendInitialEvents`; throws `Invalid` in upstream's words. */
function checkWatchOptions(query: URLSearchParams): boolean | undefined {
  const errors: FieldError[] = [];
  const match = query.get("resourceVersionMatch") ?? "";
  const asked = query.get("sendInitialEvents");
  const path = "resourceVersionMatch";
  if (asked === null) {
    const detail = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
    if (match !== "") errors.push({ type: "Forbidden", path, detail });
  } else if (match !== "NotOlderThan") {
    const detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
    errors.push({ type: "Forbidden", path, detail });
  }
  if (errors.length > 0) throw invalid("ListOptions", "meta.k8s.io", "", errors);
  return asked === null ? undefined : asked === "true" || asked === "1";
}

function timeoutOf(query: URLSearchParams): number {
  const seconds = Number(query.get("timeoutSeconds") ?? 0);
  if (Number.isFinite(seconds) && seconds > 0) return Math.min(seconds, 24 * 3600) * 1000;
  return minTimeoutMs * (1 + Math.random());
}
