import { apiVersionOf, type ServedKind } from "#api/kinds.ts";
import { ApiError, invalid, isApiError } from "#api/meta/status.ts";
import type { FieldError } from "#api/meta/field-error.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Form } from "../http/negotiate.ts";
import { sendJsonPieces, sendStatus } from "../http/respond.ts";
import type { ListResult } from "../registry/list.ts";
import type { Registry } from "../registry/registry.ts";
import { continueToken, readContinueToken } from "./continue.ts";
import { includeOf, sendForm } from "./render.ts";
import { partialOf, servedBytes, servedItem } from "./served.ts";
import { tableOf, type TableMetadata } from "./table.ts";

/** GET of a collection. */
export async function answerList(
  exchange: Exchange,
  served: ServedKind,
  namespace: string | undefined,
  form: Form,
): Promise<void> {
  try {
    const result = await listFor(exchange, served, namespace);
    await sendList(exchange, served, result, form);
  } catch (error) {
    const token = exchange.query.get("continue");
    if (!isApiError(error, "Expired") || !token) throw error;
    sendStatus(exchange, expiredContinue(token));
  }
}

/** The list a request's parameters ask for. */
export async function listFor(
  { parts, query }: Exchange,
  { definition }: ServedKind,
  namespace: string | undefined,
): Promise<ListResult> {
  const { registry } = parts;
  const { kind } = definition.resource;
  const limit = limitOf(query);
  const selection = {
    ...(namespace === undefined ? {} : { namespace }),
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: query.get("fieldSelector") ?? "",
    limit,
  };
  const token = query.get("continue") ?? "";
  const version = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch") ?? "";
  checkListOptions(query, version, match, token);
  if (token !== "") {
    const { revision, after } = readContinueToken(token);
    // The token may be of another server, which was ahead.
    if (revision !== -1) await registry.reached(revision);
    return registry.list(kind, { ...selection, after, ...(revision === -1 ? {} : { at: revision }) });
  }
  const asked = await readable(registry, version);
  return registry.list(kind, match === "Exact" ? { ...selection, at: asked } : selection);
}

/** Waits until what a read asks for can be seen: the newest for no revision, anything for 0. Answers the number. */
export async function readable(registry: Registry, version: string): Promise<number> {
  if (version === "") {
    await registry.latest();
    return 0;
  }
  const asked = parseRevision(version);
  await registry.reached(asked);
  return asked;
}

function checkListOptions(query: URLSearchParams, version: string, match: string, token: string): void {
  const errors: FieldError[] = [];
  const path = "resourceVersionMatch";
  if (query.has("sendInitialEvents")) {
    const detail = "sendInitialEvents is forbidden for list";
    errors.push({ type: "Forbidden", path: "sendInitialEvents", detail });
  }
  if (match !== "") {
    if (version === "") {
      const detail = "resourceVersionMatch is forbidden unless resourceVersion is provided";
      errors.push({ type: "Forbidden", path, detail });
    }
    if (token !== "")
      errors.push({ type: "Forbidden", path, detail: "resourceVersionMatch is forbidden when continue is provided" });
    if (match !== "Exact" && match !== "NotOlderThan") {
      const detail = 'supported values: "Exact", "NotOlderThan", ""';
      errors.push({ type: "NotSupported", path, value: match, detail });
    }
    if (match === "Exact" && version === "0") {
      const detail = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"';
      errors.push({ type: "Forbidden", path, detail });
    }
  }
  if (errors.length > 0) throw invalid("ListOptions", "meta.k8s.io", "", errors);
  if (token !== "" && version !== "" && version !== "0") {
    throw new ApiError("BadRequest", "specifying resource version is not allowed when using continue");
  }
}

/** Throws `BadRequest` for what is no revision. */
export function parseRevision(text: string): number {
  if (!/^\d{1,19}$/.test(text)) throw new ApiError("BadRequest", `invalid resource version ${JSON.stringify(text)}`);
  return Number(text);
}

function limitOf(query: URLSearchParams): number {
  const text = query.get("limit") ?? "";
  if (text === "") return 0;
  if (!/^-?\d{1,18}$/.test(text)) {
    throw new ApiError("BadRequest", `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return Number(text);
}

async function sendList(exchange: Exchange, served: ServedKind, result: ListResult, form: Form): Promise<void> {
  const { items } = result;
  const metadata = listMetadata(result);
  if (form.as === "table") {
    const now = exchange.parts.registry.clock.now();
    const table = tableOf(served, items, form.apiVersion, includeOf(exchange), now, metadata);
    return sendForm(exchange, table, form);
  }
  if (form.as === "partial") {
    const list = { kind: "PartialObjectMetadataList", apiVersion: form.apiVersion, metadata };
    return sendForm(exchange, { ...list, items: items.map((item) => partialOf(item, form.apiVersion)) }, form);
  }
  const head = { kind: `${served.definition.resource.kind}List`, apiVersion: apiVersionOf(served.version), metadata };
  if (form.yaml) {
    return sendForm(exchange, { ...head, items: items.map((item) => servedItem(served, item)) }, form);
  }
  const pieces: Uint8Array[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)];
  for (const [index, item] of items.entries()) {
    if (index > 0) pieces.push(comma);
    pieces.push(servedBytes(served, item));
  }
  pieces.push(end);
  await sendJsonPieces(exchange, pieces);
}

/** Of which moment a list is, and how to go on where it is only a page. */
export function listMetadata({ revision, continueAfter, remaining }: ListResult): TableMetadata {
  return {
    resourceVersion: String(revision),
    ...(continueAfter === undefined ? {} : { continue: continueToken(revision, continueAfter) }),
    ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
  };
}

const comma = Buffer.from(",");
const end = Buffer.from("]}");

/** The 410 carries a token with which the rest can still be read, though not of the same moment. */
function expiredContinue(token: string) {
  const { after } = readContinueToken(token);
  const message =
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without " +
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or " +
    "deleted between the time the first chunk was returned and now may show up in the list.";
  const status = new ApiError("Expired", message).toStatus();
  return { ...status, metadata: { continue: continueToken(-1, after) } };
}
