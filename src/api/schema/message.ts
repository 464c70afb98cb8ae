import { admissionRegistrationMessages } from "./messages/admissionregistration.ts";
import { appsMessages } from "./messages/apps.ts";
import { coordinationMessages } from "./messages/coordination.ts";
import { coreMessages } from "./messages/core.ts";
import { discoveryMessages } from "./messages/discovery.ts";
import { metaMessages } from "./messages/meta.ts";
import { networkingMessages } from "./messages/networking.ts";
import { rbacMessages } from "./messages/rbac.ts";
import { reviewMessages } from "./messages/reviews.ts";

/**
 * The messages of the API: which fields a form has, of which type, and their numbers on the wire. Kept as text, a line
 * each, and read on first use.
 *
 *     package.Message: field=number[:type] …
 *
 * No type is string; `b` bool, `i` int32, `l` int64, `y` bytes, `d` double, else a message (of core.v1 when it names no
 * package); `[]` before a type is a list, `{}` a map with string keys. A field without a name is inlined in JSON. A `0`
 * after the type says that zero is as good as absent, and is not written in JSON (Go's `omitempty` without a pointer); a
 * `+` that the object or list is always there in Go's form, empty at least, so that nobody comes to hold it by adding it.
 */
const texts = [
  metaMessages,
  coreMessages,
  appsMessages,
  networkingMessages,
  discoveryMessages,
  coordinationMessages,
  rbacMessages,
  admissionRegistrationMessages,
  reviewMessages,
];

export type Scalar = "string" | "bool" | "int32" | "int64" | "bytes" | "double";

export interface Field {
  /** Name in JSON; empty when the fields of `message` stand in the parent object. */
  readonly name: string;
  readonly number: number;
  readonly form: "one" | "list" | "map";
  /** The type of the value (of each element, of each map value). */
  readonly scalar?: Scalar;
  readonly message?: string;
  /** Zero and false stand for nothing. */
  readonly omitsZero: boolean;
  /** Go's form has it even when the object leaves it out. */
  readonly isAlways: boolean;
}

export interface Message {
  /** `core.v1.ServiceSpec` */
  readonly name: string;
  /** As numbered on the wire, inlined ones included as themselves. */
  readonly fields: readonly Field[];
  readonly byNumber: ReadonlyMap<number, Field>;
  /** As named in JSON, with inlined messages opened up. */
  readonly byName: ReadonlyMap<string, Field>;
}

/** Messages that are one value in JSON and not an object. */
export const scalarMessages: ReadonlySet<string> = new Set([
  "meta.Time",
  "meta.MicroTime",
  "meta.FieldsV1",
  "api.resource.Quantity",
  "util.intstr.IntOrString",
  "runtime.RawExtension",
  "authentication.v1.ExtraValue",
  "authorization.v1.ExtraValue",
]);

const scalars: Readonly<Record<string, Scalar>> = {
  "": "string",
  b: "bool",
  i: "int32",
  l: "int64",
  y: "bytes",
  d: "double",
};

let lines: Map<string, string> | undefined;
const parsed = new Map<string, Message>();

function readLines(): Map<string, string> {
  const found = new Map<string, string>();
  for (const text of texts) {
    for (const line of text.trim().replaceAll("\n  ", " ").split("\n")) {
      const colon = line.indexOf(": ");
      found.set(line.slice(0, colon), line.slice(colon + 2));
    }
  }
  return found;
}

const fieldPattern = /^(\w*)=(\d+)(?::(\[\]|\{\})?([\w.]*?)([0+]?))?$/;

function parseField(text: string): Field {
  const [, name = "", number = "", form = "", type = "", mark = ""] = fieldPattern.exec(text) ?? [];
  const scalar = scalars[type];
  const shape = {
    name,
    number: Number(number),
    form: form === "[]" ? "list" : form === "{}" ? "map" : "one",
    omitsZero: mark === "0",
    isAlways: mark === "+",
  } as const;
  if (scalar !== undefined) return { ...shape, scalar };
  return { ...shape, message: type.includes(".") ? type : `core.v1.${type}` };
}

/** The names of all messages, in no order that matters. */
export function messageNames(): readonly string[] {
  lines ??= readLines();
  return [...lines.keys()];
}

/** The message of a name such as `core.v1.Service`; throws when there is none, since names come from the program. */
export function messageOf(name: string): Message {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  lines ??= readLines();
  const line = lines.get(name);
  if (line === undefined) throw new Error(`the API has no message ${name}`);
  const fields = line.split(" ").map((text) => parseField(text));
  const message: Message = {
    name,
    fields,
    byNumber: new Map(fields.map((field) => [field.number, field])),
    byName: new Map(fields.flatMap((field) => namedFields(field))),
  };
  parsed.set(name, message);
  return message;
}

function namedFields(field: Field): [string, Field][] {
  if (field.name !== "") return [[field.name, field]];
  return [...messageOf(field.message ?? "").byName];
}
