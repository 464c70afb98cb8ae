import { messageOf, type Field, type Message } from "./message.ts";
import { WireReader } from "./wire-reader.ts";

/** Bytes that are not the message they should be. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
}

export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** The object itself, without `apiVersion` and `kind`. */
  readonly raw: Uint8Array;
}

const magic = [0x6b, 0x38, 0x73, 0x00] as const;

/** Opens the envelope of `application/vnd.kubernetes.protobuf`: `k8s`, NUL, `runtime.Unknown`. Throws `ProtobufError`. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (magic.some((byte, index) => bytes[index] !== byte)) {
    throw new ProtobufError("the body does not start with the prefix of Kubernetes protobuf");
  }
  const unknown = readMessage(messageOf("runtime.Unknown"), new WireReader(bytes.subarray(4), fail), true);
  const { apiVersion = "", kind = "" } = (unknown["typeMeta"] ?? {}) as { apiVersion?: string; kind?: string };
  const raw = unknown["raw"];
  return { apiVersion, kind, raw: raw instanceof Uint8Array ? raw : new Uint8Array() };
}

/**
 * One message in the form it has in JSON: times as RFC 3339, quantities as their text, bytes as base64, inlined messages
 * opened up; empty strings are absent. Fields the schema lacks are passed over, as protobuf wants. Throws `ProtobufError`.
 * No message holds itself, so the depth is that of the schema, whatever the bytes say.
 */
export function decodeProtobuf(bytes: Uint8Array, schemaName: string): Record<string, unknown> {
  return readMessage(messageOf(schemaName), new WireReader(bytes, fail), false);
}

function fail(message: string): never {
  throw new ProtobufError(message);
}

function readMessage(message: Message, reader: WireReader, rawBytes: boolean): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  while (!reader.done) {
    const { number, type } = reader.tag();
    const field = message.byNumber.get(number);
    if (field === undefined) reader.skip(type);
    else readField(out, field, type, reader, rawBytes);
  }
  return out;
}

function readField(
  out: Record<string, unknown>,
  field: Field,
  type: number,
  reader: WireReader,
  rawBytes: boolean,
): void {
  if (field.form === "map") return readEntry(out, field, reader.bytes(type));
  if (field.form === "list" && type === 2 && isNumeric(field)) return readPacked(out, field, reader.bytes(type));
  if (field.scalar === "bytes" && rawBytes) {
    out[field.name] = reader.bytes(type);
    return;
  }
  const value = readOne(field, type, reader);
  if (field.name === "") Object.assign(out, value);
  else if (field.form === "list") ((out[field.name] ??= []) as unknown[]).push(value);
  else if (value !== undefined && !isNothing(field, value)) {
    // A message that comes in two pieces is one: protobuf merges them.
    const before = out[field.name];
    out[field.name] = isRecord(before) && isRecord(value) ? { ...before, ...value } : value;
  }
}

/** Go writes empty texts and zeros that its JSON leaves out. */
function isNothing({ scalar, omitsZero }: Field, value: unknown): boolean {
  return (value === "" && scalar !== "bytes") || (omitsZero && (value === 0 || value === false));
}

function isNumeric({ scalar }: Field): boolean {
  return scalar === "int32" || scalar === "int64" || scalar === "bool";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readPacked(out: Record<string, unknown>, field: Field, bytes: Uint8Array): void {
  const list = (out[field.name] ??= []) as unknown[];
  const reader = new WireReader(bytes, fail);
  while (!reader.done) list.push(readOne(field, 0, reader));
}

function readEntry(out: Record<string, unknown>, field: Field, bytes: Uint8Array): void {
  const reader = new WireReader(bytes, fail);
  let key = "";
  let value: unknown = "";
  while (!reader.done) {
    const { number, type } = reader.tag();
    if (number === 1) key = reader.text(type);
    else if (number === 2) value = readOne(field, type, reader);
    else reader.skip(type);
  }
  const map = (out[field.name] ??= {}) as Record<string, unknown>;
  // Defined and not assigned, so that a key `__proto__` is a key like any other.
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}

function readOne(field: Field, type: number, reader: WireReader): unknown {
  switch (field.scalar) {
    case "string":
      return reader.text(type);
    case "bytes":
      return Buffer.from(reader.bytes(type)).toString("base64");
    case "bool":
      return reader.varint(type) !== 0n;
    case "int32":
      return Number(BigInt.asIntN(32, reader.varint(type)));
    case "int64":
      return safeInteger(BigInt.asIntN(64, reader.varint(type)));
    case "double":
      return reader.double(type);
    default:
      return readSub(field.message ?? "", reader.bytes(type));
  }
}

function safeInteger(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
    return fail(`the number ${value} is out of range`);
  }
  return Number(value);
}

function readSub(name: string, bytes: Uint8Array): unknown {
  const holdsJson = name === "meta.FieldsV1" || name === "runtime.RawExtension";
  const inner = readMessage(messageOf(name), new WireReader(bytes, fail), holdsJson);
  switch (name) {
    case "meta.Time":
      return timeText(inner, 0);
    case "meta.MicroTime":
      return timeText(inner, 6);
    case "api.resource.Quantity":
      return inner["string"] ?? "0";
    case "util.intstr.IntOrString":
      return inner["type"] === 1 ? (inner["strVal"] ?? "") : (inner["intVal"] ?? 0);
    case "authentication.v1.ExtraValue":
    case "authorization.v1.ExtraValue":
      return inner["items"] ?? [];
    case "meta.FieldsV1":
      return embeddedJson(inner["Raw"], "managedFields");
    case "runtime.RawExtension":
      return embeddedJson(inner["raw"], "data");
    default:
      return inner;
  }
}

/** An empty message is the zero time, which JSON writes as null and readers of objects take as absent. */
function timeText(inner: Record<string, unknown>, decimals: 0 | 6): string | undefined {
  if (inner["seconds"] === undefined) return undefined;
  const { seconds, nanos = 0 } = inner as { seconds: number; nanos?: number };
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return fail(`the time ${seconds} is out of range`);
  const whole = date.toISOString().replace(/\.\d+Z$/, "");
  if (decimals === 0) return `${whole}Z`;
  const micros = String(Math.floor(Math.min(Math.max(nanos, 0), 999_999_999) / 1000)).padStart(6, "0");
  return `${whole}.${micros}Z`;
}

function embeddedJson(raw: unknown, where: string): unknown {
  if (!(raw instanceof Uint8Array) || raw.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(raw)) as unknown;
  } catch {
    return fail(`${where}: something that is no JSON`);
  }
}
