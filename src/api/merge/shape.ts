import { isAtomic, mergeRuleOf, type ApplyKey } from "../schema/merge-keys.ts";
import { fieldElement } from "./element.ts";
import { messageOf, scalarMessages, type Field } from "../schema/message.ts";

/** What server-side apply has to know of a value: where fields have holders of their own, and where they go together. */
export type Shape =
  /** One field, whatever is in it: a scalar, or an atomic list, map or object. */
  | { readonly form: "leaf" }
  | StructShape
  | { readonly form: "map"; readonly item: Shape }
  /** A list whose elements are told apart by keys. */
  | { readonly form: "keyed"; readonly item: Shape; readonly keys: readonly ApplyKey[] }
  /** A list of values that are told apart by themselves. */
  | { readonly form: "set" };

export interface StructShape {
  readonly form: "struct";
  /** By name in JSON. */
  readonly fields: ReadonlyMap<string, FieldShape>;
  /** By element of a path: the same, for who walks a set. */
  readonly elements: ReadonlyMap<string, FieldShape>;
}

export interface FieldShape {
  /** `f:name` */
  readonly element: string;
  readonly shape: Shape;
  /** Go's form has the value even when it is left out, empty. */
  readonly isAlways: boolean;
  /** Zero and false stand for nothing. */
  readonly omitsZero: boolean;
  /** The number on the wire; a field of an inlined message has that message's number before it, in thousands. */
  readonly code: number;
}

const leaf: Shape = { form: "leaf" };
const structs = new Map<string, StructShape>();

/**
 * The shape of a kind's form, with the fields a write of that part can change: `main` without status, `status` without
 * anything else but labels and annotations. What the server alone sets (`metadata.uid` and so on) is in neither: nobody
 * holds it (upstream's stripMeta, and the reset fields of each kind's strategy).
 */
export function shapeOf(schema: string, part: "main" | "status"): StructShape {
  const name = `${schema} ${part}`;
  let shape = structs.get(name);
  if (shape === undefined) {
    shape = part === "main" ? mainShape(schema) : statusShape(schema);
    structs.set(name, shape);
  }
  return shape;
}

const serverMetadata = [
  "name",
  "namespace",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "selfLink",
  "uid",
  "generation",
  "managedFields",
  "resourceVersion",
];

/** The shape of everything a form has, whoever sets it. */
export function wholeShapeOf(schema: string): StructShape {
  return structShape(schema);
}

function mainShape(schema: string): StructShape {
  const fields = new Map(structShape(schema).fields);
  fields.delete("status");
  const metadata = new Map(structShape("meta.ObjectMeta").fields);
  for (const field of serverMetadata) metadata.delete(field);
  return withMetadata(fields, metadata);
}

function statusShape(schema: string): StructShape {
  // Workloads take no labels through their status, as upstream's strategies have it.
  const names = schema.startsWith("apps.") ? ["annotations"] : ["labels", "annotations"];
  const all = structShape("meta.ObjectMeta").fields;
  const metadata = new Map(names.map((name) => [name, all.get(name) as FieldShape]));
  const fields = [...structShape(schema).fields].filter(([name]) => name === "metadata" || name === "status");
  return withMetadata(new Map(fields), metadata);
}

function withMetadata(fields: Map<string, FieldShape>, metadata: ReadonlyMap<string, FieldShape>): StructShape {
  const whole = fields.get("metadata") as FieldShape;
  return structOf(fields.set("metadata", { ...whole, shape: structOf(metadata) }));
}

function structShape(message: string): StructShape {
  let shape = structs.get(message);
  if (shape === undefined) {
    const fields = numberedFields(message).map(([field, code]): [string, FieldShape] => {
      const { name, isAlways, omitsZero } = field;
      return [name, { element: fieldElement(name), shape: fieldShape(message, field), isAlways, omitsZero, code }];
    });
    shape = structOf(new Map(fields));
    structs.set(message, shape);
  }
  return shape;
}

function structOf(fields: ReadonlyMap<string, FieldShape>): StructShape {
  const elements = new Map([...fields.values()].map((field) => [field.element, field]));
  return { form: "struct", fields, elements };
}

/** The fields of a message as JSON has them, with inlined messages opened up, and their numbers. */
function numberedFields(message: string): [field: Field, code: number][] {
  return messageOf(message).fields.flatMap((field) => {
    if (field.name !== "") return [[field, field.number]];
    return numberedFields(field.message ?? "").map(([inner, code]): [Field, number] => {
      return [inner, field.number * 1000 + code];
    });
  });
}

function fieldShape(message: string, field: Field): Shape {
  const apply = mergeRuleOf(message, field.name)?.apply;
  if (field.form === "one") return valueShape(field);
  if (field.form === "map") return apply === "atomic" ? leaf : { form: "map", item: valueShape(field) };
  if (apply === undefined || apply === "atomic") return leaf;
  return apply === "set" ? { form: "set" } : { form: "keyed", item: valueShape(field), keys: sorted(apply.keys) };
}

function valueShape({ message }: Field): Shape {
  if (message === undefined || scalarMessages.has(message) || isAtomic(message)) return leaf;
  return structShape(message);
}

function sorted(keys: readonly ApplyKey[]): readonly ApplyKey[] {
  return [...keys].sort((a, b) => (a.name < b.name ? -1 : 1));
}
