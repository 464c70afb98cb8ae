import { kind } from "#wire/http1/field-kind.ts";
import { nominatedFields, type HeadTable } from "#wire/http1/head.ts";
import type { FieldEdits } from "../filters/filter.ts";
import type { HeadWriter } from "./writer.ts";

const version = Buffer.from("HTTP/1.1 ", "latin1");
const crlf = Buffer.from("\r\n", "latin1");
const connectionClose = Buffer.from("Connection: close\r\n", "latin1");
const connectionKeepAlive = Buffer.from("Connection: keep-alive\r\n", "latin1");
const connectionUpgrade = Buffer.from("Connection: upgrade\r\n", "latin1");
const chunked = Buffer.from("Transfer-Encoding: chunked\r\n", "latin1");

/** How a response goes on to the client. */
export interface ResponseShape {
  readonly connection: "close" | "keep-alive" | "upgrade" | "";
  /** Keep the endpoint's Transfer-Encoding, write our own, or have none. */
  readonly coding: "as-is" | "ours" | "none";
  /** 204 says nothing about a length (RFC 9110 section 8.6). */
  readonly dropLength: boolean;
}

/** Writes the response head for the client: the endpoint's fields byte for byte, less those of its hop. */
export function composeResponse(
  writer: HeadWriter,
  bytes: Buffer,
  head: HeadTable,
  headEnd: number,
  shape: ResponseShape,
  edits: FieldEdits | undefined,
): void {
  writer.bytes(version);
  if (head.reasonStart === head.reasonEnd) writer.text(`${head.status} `);
  else writer.copy(bytes, head.reasonStart - 4, head.reasonEnd);
  writer.bytes(crlf);
  copyFields(writer, bytes, head, headEnd, shape, edits);
  if (edits !== undefined) {
    for (const { name, value } of edits.values()) if (value !== undefined) writer.text(`${name}: ${value}\r\n`);
  }
  if (shape.coding === "ours") writer.bytes(chunked);
  if (shape.connection === "close") writer.bytes(connectionClose);
  else if (shape.connection === "keep-alive") writer.bytes(connectionKeepAlive);
  else if (shape.connection === "upgrade") writer.bytes(connectionUpgrade);
  writer.bytes(crlf);
}

function isDropped(known: number, shape: ResponseShape): boolean {
  switch (known) {
    case kind.connection:
    case kind.keepAlive:
    case kind.proxyConnection:
      return true;
    case kind.upgrade:
      return shape.connection !== "upgrade";
    case kind.transferEncoding:
      return shape.coding !== "as-is";
    case kind.contentLength:
      return shape.dropLength;
    default:
      return false;
  }
}

function copyFields(
  writer: HeadWriter,
  bytes: Buffer,
  head: HeadTable,
  headEnd: number,
  shape: ResponseShape,
  edits: FieldEdits | undefined,
): void {
  const nominated = head.nominates ? nominatedFields(bytes, head) : undefined;
  const byName = nominated !== undefined || edits !== undefined;
  let runStart = -1;
  for (let field = 0; field < head.count; field += 1) {
    const known = head.kinds[field] ?? 0;
    let drop = known !== kind.other && isDropped(known, shape);
    if (byName && !drop && (nominated !== undefined || edits?.hasLength(lengthOf(head, field)) === true)) {
      const name = bytes.toString("latin1", head.nameStart(field), head.nameEnd(field)).toLowerCase();
      drop = (nominated?.has(name) === true && known !== kind.upgrade) || edits?.has(name) === true;
    }
    if (drop) {
      if (runStart >= 0) writer.copy(bytes, runStart, head.nameStart(field));
      runStart = -1;
    } else if (runStart < 0) runStart = head.nameStart(field);
  }
  if (runStart >= 0) writer.copy(bytes, runStart, headEnd - 2);
}

function lengthOf(head: HeadTable, field: number): number {
  return head.nameEnd(field) - head.nameStart(field);
}
