import { kind } from "#wire/http1/field-kind.ts";
import { nominatedFields, type HeadTable } from "#wire/http1/head.ts";
import type { ClientRequest } from "../exchange/request.ts";
import type { FieldEdits } from "../filters/filter.ts";
import { newRequestId } from "../request-id.ts";
import type { HeadWriter } from "./writer.ts";

/** Fields of a client that are not passed on: those of its hop, those we say ourselves, and names with underscores. */
const dropped = new Uint8Array(32);
for (const known of [
  kind.connection,
  kind.keepAlive,
  kind.proxyConnection,
  kind.proxy,
  kind.te,
  kind.trailer,
  kind.upgrade,
  kind.expect,
  kind.http2Settings,
  kind.xRequestId,
  kind.xRealIp,
  kind.xForwardedFor,
  kind.xForwardedHost,
  kind.xForwardedPort,
  kind.xForwardedProto,
  kind.xForwardedScheme,
  kind.xScheme,
  kind.xOriginalForwardedFor,
  kind.xOriginalForwardedHost,
  kind.xOriginalUri,
  kind.underscore,
])
  dropped[known] = 1;

const version = Buffer.from(" HTTP/1.1\r\n", "latin1");
const upgradeFields = Buffer.from("Connection: upgrade\r\nUpgrade: ", "latin1");
const crlf = Buffer.from("\r\n", "latin1");

/**
 * Writes the request head for an endpoint: the client's own fields byte for byte, less what must not pass, and the
 * forwarded fields of ingress-nginx. `rewritten` replaces the target.
 */
export function composeRequest(
  writer: HeadWriter,
  request: ClientRequest,
  head: HeadTable,
  rewritten: string | undefined,
  edits: FieldEdits | undefined,
): void {
  const { bytes, headEnd } = request;
  writer.copy(bytes, head.methodStart, head.methodEnd);
  if (rewritten !== undefined) writer.text(` ${rewritten}`);
  else if (head.pathStart === head.targetEnd) writer.text(" /");
  else {
    writer.bytes(space);
    writer.copy(bytes, head.pathStart, head.targetEnd);
  }
  writer.bytes(version);
  if (head.hostField < 0 && edits?.has("host") !== true) writer.text(`Host: ${request.host}\r\n`);
  copyRequestFields(writer, bytes, head, headEnd, edits);
  if (edits === undefined) composeForwarded(writer, request, head);
  else composeEdited(writer, request, head, edits);
  if (request.upgrade) {
    writer.bytes(upgradeFields);
    writer.copy(bytes, head.valueStart(head.upgradeField), head.valueEnd(head.upgradeField));
    writer.bytes(crlf);
  }
  writer.bytes(crlf);
}

/** Writes the client's own fields byte for byte, less those that must not pass and those that are edited. */
export function copyRequestFields(
  writer: HeadWriter,
  bytes: Buffer,
  head: HeadTable,
  headEnd: number,
  edits?: FieldEdits,
): void {
  const nominated = head.nominates ? nominatedFields(bytes, head) : undefined;
  const byName = nominated !== undefined || edits !== undefined;
  let runStart = -1;
  for (let field = 0; field < head.count; field += 1) {
    let drop = dropped[head.kinds[field] ?? 0] === 1;
    if (byName && !drop && (nominated !== undefined || edits?.hasLength(lengthOf(head, field)) === true)) {
      const name = bytes.toString("latin1", head.nameStart(field), head.nameEnd(field)).toLowerCase();
      drop = nominated?.has(name) === true || edits?.has(name) === true;
    }
    if (drop) {
      if (runStart >= 0) writer.copy(bytes, runStart, head.nameStart(field));
      runStart = -1;
    } else if (runStart < 0) runStart = head.nameStart(field);
  }
  if (runStart >= 0) writer.copy(bytes, runStart, headEnd - 2);
}

const space = Buffer.from(" ", "latin1");

/** Beginnings of fields that every request gets: bytes cost less to copy than text. */
const names = {
  requestId: Buffer.from("X-Request-ID: ", "latin1"),
  forwardedHost: Buffer.from("X-Forwarded-Host: ", "latin1"),
  originalForwardedFor: Buffer.from("X-Original-Forwarded-For: ", "latin1"),
  originalUri: Buffer.from("X-Original-Uri: ", "latin1"),
};

function composeForwarded(writer: HeadWriter, request: ClientRequest, head: HeadTable): void {
  const { bytes, forwarding } = request;
  const given = head.requestIdField;
  if (given >= 0 && head.valueEnd(given) > head.valueStart(given))
    copyField(writer, names.requestId, bytes, head, given);
  else writer.text(`X-Request-ID: ${(request.requestId ??= newRequestId())}\r\n`);
  writer.bytes(forwarding.fields);
  if (forwarding.host !== undefined) writer.text(`X-Forwarded-Host: ${forwarding.host}\r\n`);
  else if (head.hostField >= 0) copyField(writer, names.forwardedHost, bytes, head, head.hostField);
  if (head.forwardedForField >= 0 && !forwarding.trusted) {
    copyField(writer, names.originalForwardedFor, bytes, head, head.forwardedForField);
  }
  writer.bytes(names.originalUri);
  writer.copy(bytes, head.pathStart, head.targetEnd);
  writer.bytes(crlf);
}

function copyField(writer: HeadWriter, name: Buffer, bytes: Buffer, head: HeadTable, field: number): void {
  writer.bytes(name);
  writer.copy(bytes, head.valueStart(field), head.valueEnd(field));
  writer.bytes(crlf);
}

/** The same with a route's own fields, which win over ours. */
function composeEdited(writer: HeadWriter, request: ClientRequest, head: HeadTable, edits: FieldEdits): void {
  const start = writer.length;
  composeForwarded(writer, request, head);
  const ours = writer.view().toString("latin1", start);
  writer.length = start;
  for (const line of ours.split("\r\n")) {
    if (line !== "" && !edits.has(line.slice(0, line.indexOf(":")).toLowerCase())) writer.text(`${line}\r\n`);
  }
  for (const { name, value } of edits.values()) if (value !== undefined) writer.text(`${name}: ${value}\r\n`);
}

function lengthOf(head: HeadTable, field: number): number {
  return head.nameEnd(field) - head.nameStart(field);
}
