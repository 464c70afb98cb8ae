import fc from "fast-check";
import { messageOf, type Field } from "#api/schema/message.ts";

type Value = Record<string, unknown>;

const text = fc.string({ minLength: 1, maxLength: 8 });
const int32 = fc.integer();
const seconds = fc.integer({ min: 0, max: 4_102_444_800 });

/** Any value of a message in its JSON form, as the decoder gives it back: no empty texts, no empty lists or maps. */
export function messageValue(schema: string, depth = 0): fc.Arbitrary<Value> {
  const fields = [...messageOf(schema).byName.values()];
  const chosen = depth > 3 ? fc.constant<Field[]>([]) : fc.subarray(fields, { maxLength: Math.min(5, fields.length) });
  return chosen
    .chain((some) => {
      const entries = some.map((field) => [field.name, fieldValue(field, depth)] as const);
      return fc.record(Object.fromEntries(entries));
    })
    .map((value) => ({ ...value }));
}

function fieldValue(field: Field, depth: number): fc.Arbitrary<unknown> {
  const one = oneValue(field, depth);
  if (field.form === "list") return fc.array(one, { minLength: 1, maxLength: 3 });
  if (field.form === "map") return fc.dictionary(text, one, { minKeys: 1, maxKeys: 3 }).map((map) => ({ ...map }));
  return one;
}

function oneValue({ scalar, message, form, omitsZero }: Field, depth: number): fc.Arbitrary<unknown> {
  switch (scalar) {
    case "string":
      return form === "one" ? text : fc.string({ maxLength: 8 });
    case "bytes":
      return fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes).toString("base64"));
    case "bool":
      return omitsZero ? fc.constant(true) : fc.boolean();
    case "int32":
      return omitsZero ? int32.filter((value) => value !== 0) : int32;
    case "int64":
      return fc.maxSafeInteger().filter((value) => value !== 0 || !omitsZero);
    default:
      return innerValue(message ?? "", depth);
  }
}

function innerValue(message: string, depth: number): fc.Arbitrary<unknown> {
  const time = seconds.map((value) => new Date(value * 1000).toISOString());
  switch (message) {
    case "meta.Time":
      return time.map((value) => value.replace(/\.000Z$/, "Z"));
    case "meta.MicroTime":
      return fc.tuple(time, fc.nat(999_999)).map(([value, micros]) => {
        return value.replace(/000Z$/, `${String(micros).padStart(6, "0")}Z`);
      });
    case "api.resource.Quantity":
      return fc.constantFrom("1", "500m", "1Gi");
    case "util.intstr.IntOrString":
      return fc.oneof(int32, text);
    case "meta.FieldsV1":
    case "runtime.RawExtension":
      return fc.constant({ "f:spec": {} });
    default:
      return messageValue(message, depth + 1);
  }
}
