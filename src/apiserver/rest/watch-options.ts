import type { FieldError } from "#api/meta/field-error.ts";
import { invalid } from "#api/meta/status.ts";
import { isAsked, isTrue } from "../http/options.ts";
import type { Registry } from "../registry/registry.ts";
import type { WatchQuery } from "../registry/watch.ts";
import { parseRevision, readable } from "./list.ts";

/** Without `timeoutSeconds` a watch ends after half an hour to an hour, spread by chance. */
const minTimeoutMs = 30 * 60_000;
const maxTimeoutMs = 24 * 3600_000;

/** What a watch's query asks for. */
export interface WatchWish {
  readonly query: WatchQuery;
  /** A bookmark is wanted where the state at the start ends (WatchList). */
  readonly marksStart: boolean;
  /** Bookmarks are wanted each minute. */
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
}

/** Reads the query; waits until the registry has reached its revision. Rejects with `ApiError` in upstream's words. */
export async function readWatchWish(
  registry: Registry,
  parameters: URLSearchParams,
  { namespace, name }: { namespace?: string; name?: string },
): Promise<WatchWish> {
  const text = (parameter: string) => parameters.get(parameter) ?? "";
  const initialEvents = initialEventsOf(parameters);
  const version = text("resourceVersion");
  // A watch from a revision that is still to come stays silent until then.
  const asked = version === "" || initialEvents === true ? await readable(registry, version) : parseRevision(version);
  const since = sinceOf(asked, initialEvents, registry.revision());
  const fields = [text("fieldSelector"), name === undefined ? "" : `metadata.name=${name}`];
  const bookmarks = isAsked(parameters.get("allowWatchBookmarks"));
  return {
    query: {
      ...(namespace === undefined ? {} : { namespace }),
      labelSelector: text("labelSelector"),
      fieldSelector: fields.filter((field) => field !== "").join(","),
      ...(since === undefined ? {} : { since }),
    },
    marksStart: initialEvents === true && bookmarks,
    bookmarks,
    timeoutMs: timeoutOf(text("timeoutSeconds")),
  };
}

function sinceOf(asked: number, initialEvents: boolean | undefined, now: number): number | undefined {
  if (initialEvents === true) return undefined;
  if (asked > 0) return asked;
  return initialEvents === false ? now : undefined;
}

/** `sendInitialEvents`, where it is given at all; it and `resourceVersionMatch` go together only. */
function initialEventsOf(parameters: URLSearchParams): boolean | undefined {
  const errors: FieldError[] = [];
  const match = parameters.get("resourceVersionMatch") ?? "";
  const asked = parameters.get("sendInitialEvents");
  const path = "resourceVersionMatch";
  if (asked === null) {
    const detail = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
    if (match !== "") errors.push({ type: "Forbidden", path, detail });
  } else if (match !== "NotOlderThan") {
    const detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
    errors.push({ type: "Forbidden", path, detail });
  }
  if (errors.length > 0) throw invalid("ListOptions", "meta.k8s.io", "", errors);
  return asked === null ? undefined : isTrue(asked);
}

function timeoutOf(text: string): number {
  const ms = Number(text) * 1000;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, maxTimeoutMs) : minTimeoutMs * (1 + Math.random());
}
