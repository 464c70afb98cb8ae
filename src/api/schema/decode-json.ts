import { parseQuantity } from "../meta/quantity.ts";
import { messageOf, type Field, type Message, type Scalar } from "./message.ts";
import { goTypeOf, goNameOf } from "./go-names.ts";

/** A value of the wrong type, in the words of Go's JSON decoder, which is what clients know from upstream. */
export interface ShapeError {
  /** `spec.ports[0].port` */
  readonly path: string;
  /** `json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32` */
  readonly message: string;
  /** The Go type that belongs there, and the JSON type that stands there; for texts of our own. */
  readonly wants?: string;
  readonly got?: string;
}

export interface ShapeReport {
  /** The value without nulls and unknown fields; new objects all the way down, so it may be changed. */
  readonly value: unknown;
  /** Paths of fields the form does not have, such as `spec.ports[0].foo`. */
  readonly unknown: readonly string[];
  /** What has the wrong type; the first is what upstream reports. Those values are left out of `value`. */
  readonly errors: readonly ShapeError[];
}

/**
 * Holds a parsed JSON value against a message of the schema. `apiVersion` and `kind` at the top are of every form.
 * No message holds itself, so the walk goes as deep as the schema, whatever the value. A zero that Go leaves out is left
 * out, unless `keepsZeros`: who applies `paused: false` has said something.
 */
export function checkShape(schemaName: string, value: unknown, { keepsZeros = false } = {}): ShapeReport {
  const walk = new Walk(keepsZeros);
  const clean = walk.object(messageOf(schemaName), value, { path: "", goPath: "" });
  return { value: clean, unknown: walk.unknown, errors: walk.errors };
}

interface Place {
  readonly path: string;
  /** `ServicePort.spec.ports.port` without the struct's name: Go leaves out indexes and keys. */
  readonly goPath: string;
}

/** The struct field a value stands in, as Go's messages name it. */
interface Owner {
  readonly message: Message;
  readonly field: Field;
}

class Walk {
  readonly unknown: string[] = [];
  readonly errors: ShapeError[] = [];
  private readonly keepsZeros: boolean;

  constructor(keepsZeros: boolean) {
    this.keepsZeros = keepsZeros;
  }

  object(message: Message, value: unknown, place: Place, owner?: Owner): Record<string, unknown> | undefined {
    if (!isObject(value)) return this.mismatch(value, `${goPackage(message)}.${goNameOf(message.name)}`, place, owner);
    const clean: Record<string, unknown> = {};
    for (const [name, child] of Object.entries(value)) {
      const path = place.path === "" ? name : `${place.path}.${name}`;
      const field = message.byName.get(name);
      if (field === undefined) {
        if (place.path !== "" || (name !== "apiVersion" && name !== "kind")) this.unknown.push(path);
        else if (child !== null) this.setScalar(clean, "string", name, child, message);
        continue;
      }
      if (child === null) continue;
      const goPath = place.goPath === "" ? name : `${place.goPath}.${name}`;
      const next = this.field(field, child, { path, goPath }, { message, field });
      if (next === undefined || (field.omitsZero && !this.keepsZeros && (next === 0 || next === false))) continue;
      clean[name] = next;
    }
    return clean;
  }

  private setScalar(
    clean: Record<string, unknown>,
    scalar: Scalar,
    name: string,
    value: unknown,
    message: Message,
  ): void {
    const field: Field = { name, number: 0, form: "one", omitsZero: false, isAlways: false, scalar };
    const text = this.one(field, value, { path: name, goPath: name }, { message, field });
    if (text !== undefined) clean[name] = text;
  }

  private field(field: Field, value: unknown, place: Place, owner: Owner): unknown {
    if (field.form === "list") return this.list(field, value, place, owner);
    if (field.form === "map") return this.map(field, value, place, owner);
    return this.one(field, value, place, owner);
  }

  private list(field: Field, value: unknown, place: Place, owner: Owner): unknown[] | undefined {
    if (!Array.isArray(value)) return this.mismatch(value, `[]${goTypeOf(field)}`, place, owner);
    const items: unknown[] = [];
    for (const [index, item] of value.entries()) {
      const at = { ...place, path: `${place.path}[${index}]` };
      const clean = item === null ? emptyOf(field) : this.one(field, item, at, owner);
      if (clean !== undefined) items.push(clean);
    }
    return items;
  }

  private map(field: Field, value: unknown, place: Place, owner: Owner): Record<string, unknown> | undefined {
    if (!isObject(value)) return this.mismatch(value, `map[string]${goTypeOf(field)}`, place, owner);
    const entries: [string, unknown][] = [];
    for (const [key, item] of Object.entries(value)) {
      const at = { ...place, path: `${place.path}.${key}` };
      const clean = item === null ? emptyOf(field) : this.one(field, item, at, owner);
      if (clean !== undefined) entries.push([key, clean]);
    }
    // `Object.fromEntries` defines, so a key `__proto__` is a key like any other.
    return Object.fromEntries(entries);
  }

  private one(field: Field, value: unknown, place: Place, owner: Owner): unknown {
    if (field.message === undefined) return this.scalar(field, value, place, owner);
    switch (field.message) {
      case "meta.Time":
      case "meta.MicroTime":
        return this.time(field, value, place, owner);
      case "meta.FieldsV1":
      case "runtime.RawExtension":
        return value;
      case "authentication.v1.ExtraValue":
      case "authorization.v1.ExtraValue":
        return this.list(
          { name: "", number: 0, form: "list", omitsZero: false, isAlways: false, scalar: "string" },
          value,
          place,
          owner,
        );
      case "api.resource.Quantity":
        return this.quantity(value, place);
      case "util.intstr.IntOrString":
        return this.intOrString(value, place, owner);
      default:
        return this.object(messageOf(field.message), value, place, owner);
    }
  }

  private scalar({ scalar }: Field, value: unknown, place: Place, owner: Owner): unknown {
    switch (scalar) {
      case "string":
        return typeof value === "string" ? value : this.mismatch(value, goTypeOf(owner.field), place, owner);
      case "bool":
        return typeof value === "boolean" ? value : this.mismatch(value, "bool", place, owner);
      case "bytes":
        return this.bytes(value, place, owner);
      case "double":
        return typeof value === "number" ? value : this.mismatch(value, "float64", place, owner);
      default:
        return isInteger(value, scalar === "int32" ? 2 ** 31 : 2 ** 63)
          ? value
          : this.mismatch(value, scalar ?? "", place, owner);
    }
  }

  private bytes(value: unknown, place: Place, owner: Owner): string | undefined {
    if (typeof value !== "string") return this.mismatch(value, "[]uint8", place, owner);
    const at = illegalBase64At(value);
    if (at === undefined) return value;
    this.errors.push({ path: place.path, message: `illegal base64 data at input byte ${at}` });
    return undefined;
  }

  private intOrString(value: unknown, place: Place, owner: Owner): number | string | undefined {
    if (typeof value === "string" || isInteger(value, 2 ** 31)) return value;
    return this.mismatch(value, typeof value === "number" ? "int32" : "string", place, owner);
  }

  private quantity(value: unknown, place: Place): string | undefined {
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text === "string" && parseQuantity(text) !== undefined) return text;
    const message = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    this.errors.push({ path: place.path, message });
    return undefined;
  }

  private time(field: Field, value: unknown, place: Place, owner: Owner): string | undefined {
    if (typeof value !== "string") {
      return this.mismatch(value, "string", place, owner);
    }
    const micro = field.message === "meta.MicroTime";
    if ((micro ? microTimePattern : timePattern).test(value) && !Number.isNaN(Date.parse(value))) return value;
    const layout = micro ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00";
    const message = `parsing time ${JSON.stringify(JSON.stringify(value))} as "\\"${layout}\\"": cannot parse ${JSON.stringify(value)}`;
    this.errors.push({ path: place.path, message });
    return undefined;
  }

  private mismatch(value: unknown, goType: string, place: Place, owner: Owner | undefined): undefined {
    const kind = typeof value === "number" ? numberText(value, goType) : typeText(value);
    const field = owner === undefined ? "Go value" : `Go struct field ${goNameOf(owner.message.name)}.${place.goPath}`;
    const message = `json: cannot unmarshal ${kind} into ${field} of type ${goType}`;
    this.errors.push({ path: place.path, message, wants: goType, got: typeText(value) });
    return undefined;
  }
}

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const microTimePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isInteger(value: unknown, limit: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value < limit && value >= -limit;
}

/** What Go makes of a null in a list or a map: the zero value. */
function emptyOf({ scalar, message }: Field): unknown {
  if (message !== undefined) return message === "util.intstr.IntOrString" ? 0 : undefined;
  return scalar === "string" || scalar === "bytes" ? "" : scalar === "bool" ? false : 0;
}

function goPackage(message: Message): string {
  return message.name.split(".").at(-2) === "meta" ? "v1" : (message.name.split(".").at(-2) ?? "v1");
}

function typeText(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** Go names the number itself when it is one of the wrong sort, and not when no number would do. */
function numberText(value: number, goType: string): string {
  return /^(int|uint)\d/.test(goType) ? `number ${value}` : "number";
}

function illegalBase64At(text: string): number | undefined {
  const clean = text.replaceAll(/[\r\n]/g, "");
  const at = /[^A-Za-z0-9+/]/.exec(clean)?.index ?? clean.length;
  const rest = clean.slice(at);
  const missing = at % 4;
  if (missing === 0 && rest === "") return undefined;
  if ((missing === 2 && rest === "==") || (missing === 3 && rest === "=")) return undefined;
  return rest === "" ? at - missing : at;
}
