import { messageOf, type Field } from "#api/schema/message.ts";

/** A JSON form as protobuf: the writing half that the server has no need of, for tests to read back. */
export function encodeMessage(schema: string, value: Record<string, unknown>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const field of messageOf(schema).fields) {
    if (field.name === "") {
      const known = messageOf(field.message ?? "").byName;
      const own = Object.fromEntries(Object.entries(value).filter(([key]) => known.has(key)));
      parts.push(bytesField(field.number, encodeMessage(field.message ?? "", own)));
      continue;
    }
    if (!Object.hasOwn(value, field.name)) continue;
    const child = value[field.name];
    if (field.form === "list") for (const item of child as unknown[]) parts.push(encodeOne(field.number, field, item));
    else if (field.form === "one") parts.push(encodeOne(field.number, field, child));
    else {
      for (const [key, item] of Object.entries(child as object)) {
        const entry = Buffer.concat([bytesField(1, Buffer.from(key)), encodeOne(2, field, item)]);
        parts.push(bytesField(field.number, entry));
      }
    }
  }
  return Buffer.concat(parts);
}

export function encodeEnvelope(apiVersion: string, kind: string, raw: Uint8Array): Uint8Array {
  const type = Buffer.concat([bytesField(1, Buffer.from(apiVersion)), bytesField(2, Buffer.from(kind))]);
  return Buffer.concat([Buffer.from("k8s\0"), bytesField(1, type), bytesField(2, raw)]);
}

function encodeOne(number: number, { scalar, message }: Field, value: unknown): Uint8Array {
  switch (scalar) {
    case "string":
      return bytesField(number, Buffer.from(value as string));
    case "bytes":
      return bytesField(number, Buffer.from(value as string, "base64"));
    case "bool":
      return numberField(number, value === true ? 1n : 0n);
    case "int32":
    case "int64":
      return numberField(number, BigInt.asUintN(64, BigInt(value as number)));
    case "double":
      throw new Error("no message in scope has a double");
    default:
      return bytesField(number, encodeInner(message ?? "", value));
  }
}

function encodeInner(message: string, value: unknown): Uint8Array {
  switch (message) {
    case "meta.Time":
    case "meta.MicroTime": {
      const seconds = Math.floor(Date.parse(value as string) / 1000);
      const micros = Number(/\.(\d{6})Z$/.exec(value as string)?.[1] ?? 0);
      return Buffer.concat([
        numberField(1, BigInt.asUintN(64, BigInt(seconds))),
        numberField(2, BigInt(micros) * 1000n),
      ]);
    }
    case "api.resource.Quantity":
      return bytesField(1, Buffer.from(value as string));
    case "util.intstr.IntOrString":
      return typeof value === "number"
        ? Buffer.concat([numberField(1, 0n), numberField(2, BigInt.asUintN(64, BigInt(value)))])
        : Buffer.concat([numberField(1, 1n), bytesField(3, Buffer.from(value as string))]);
    case "meta.FieldsV1":
    case "runtime.RawExtension":
      return bytesField(1, Buffer.from(JSON.stringify(value)));
    default:
      return encodeMessage(message, value as Record<string, unknown>);
  }
}

function bytesField(number: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([varint(BigInt(number) * 8n + 2n), varint(BigInt(value.length)), value]);
}

function numberField(number: number, value: bigint): Uint8Array {
  return Buffer.concat([varint(BigInt(number) * 8n), varint(value)]);
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(rest)]);
}
