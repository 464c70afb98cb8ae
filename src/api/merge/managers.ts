import { isEmptySet, union, type FieldSet } from "./field-set.ts";
import { readFields } from "./fields-v1.ts";
import { fieldsText, packFields, shareText, unpackFields } from "./packed.ts";

/** Who holds fields of an object: one entry of `metadata.managedFields`. */
export interface Manager {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  /** The version in whose form the fields are named. */
  readonly apiVersion: string;
  /** When it last changed something, to the second. */
  readonly time?: string;
  readonly subresource?: string;
  /** The message that describes that version's form; empty for a version that is not served. */
  readonly schema: string;
  /** The fields, packed: a twentieth of the memory of a value, and shared by objects that are alike. */
  readonly fields: string;
}

/** In the order of `metadata.managedFields`. Shared between objects; never changed in place. */
export type Managers = readonly Manager[];

export const noManagers: Managers = [];

/** Which entry a write belongs to. An applier keeps its entry when it changes the version it writes in. */
export type ManagerIdentity = Omit<Manager, "time" | "fields">;

export function isSameManager(a: ManagerIdentity, b: ManagerIdentity): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === "Apply" || a.apiVersion === b.apiVersion)
  );
}

export function fieldsHeldBy({ fields, schema }: Manager): FieldSet {
  return unpackFields(fields, schema);
}

/** The entry of a manager that holds these fields. */
export function createManager(identity: ManagerIdentity, fields: FieldSet, time: string | undefined): Manager {
  const { manager, operation, apiVersion, subresource, schema } = identity;
  return {
    manager: shareText(manager),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time: shareText(time) }),
    ...(subresource === undefined ? {} : { subresource }),
    schema,
    fields: packFields(fields, schema),
  };
}

/** The entry with other fields; `undefined` when none are left. */
export function withFields(manager: Manager, fields: FieldSet): Manager | undefined {
  return isEmptySet(fields) ? undefined : { ...manager, fields: packFields(fields, manager.schema) };
}

/** Upstream's order: appliers first, then by time. */
export function sortManagers(managers: Managers): Managers {
  return managers.toSorted((a, b) => {
    for (const field of ["operation", "time", "manager", "apiVersion", "subresource"] as const) {
      const [left = "", right = ""] = [a[field], b[field]];
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  });
}

/** So many entries of updates are kept apart; upstream's `DefaultMaxUpdateManagers`. */
const mostUpdaters = 10;

/** Puts the oldest updates of a version into one entry, `ancient-changes`, while there are too many. */
export function capManagers(managers: Managers): Managers {
  const updaters = sortManagers(managers.filter(({ operation }) => operation === "Update"));
  let excess = updaters.length - mostUpdaters;
  if (excess <= 0) return managers;
  let kept = [...managers];
  const oldest = new Map<string, Manager>();
  for (const updater of updaters) {
    if (excess <= 0) break;
    const { apiVersion, schema, time } = updater;
    const bucket = oldest.get(apiVersion);
    if (bucket === undefined) {
      oldest.set(apiVersion, updater);
      continue;
    }
    const identity = { manager: "ancient-changes", operation: "Update", apiVersion, schema } as const;
    const merged = createManager(identity, union(fieldsHeldBy(bucket), fieldsHeldBy(updater)), time);
    kept = [...kept.filter((other) => other !== bucket && other !== updater), merged];
    oldest.set(apiVersion, merged);
    excess -= 1;
  }
  return kept;
}

/** `metadata.managedFields` as JSON text. */
export function renderManagers(managers: Managers): string {
  return `[${managers.map((manager) => renderManager(manager)).join(",")}]`;
}

function renderManager({ fields, schema, manager, operation, apiVersion, time, subresource }: Manager): string {
  const head = JSON.stringify({ manager, operation, apiVersion, time, fieldsType: "FieldsV1" });
  const tail = subresource === undefined ? "" : `,"subresource":${JSON.stringify(subresource)}`;
  return `${head.slice(0, -1)},"fieldsV1":${fieldsText(fields, schema)}${tail}}`;
}

/** `metadata.managedFields` as a value. */
export function managersValue(managers: Managers): unknown[] {
  return JSON.parse(renderManagers(managers)) as unknown[];
}

/**
 * What a client wrote as `metadata.managedFields`; `undefined` where an entry cannot be read. `schemaOf` knows the form of
 * a version of the object's kind.
 */
export function readManagers(value: unknown, schemaOf: (apiVersion: string) => string): Managers | undefined {
  if (!Array.isArray(value)) return undefined;
  const managers: Manager[] = [];
  for (const entry of value as readonly unknown[]) {
    const { fieldsType, fieldsV1, operation, ...rest } = (entry ?? {}) as Record<string, unknown>;
    const fields = readFields(fieldsV1 ?? {});
    if (fieldsType !== "FieldsV1" || fields === undefined) return undefined;
    if (operation !== "Apply" && operation !== "Update") return undefined;
    const apiVersion = textOf(rest["apiVersion"]);
    const identity = { manager: textOf(rest["manager"]), operation, apiVersion, schema: schemaOf(apiVersion) } as const;
    const subresource = textOf(rest["subresource"]);
    const named = subresource === "" ? identity : { ...identity, subresource };
    managers.push(createManager(named, fields, textOf(rest["time"]) || undefined));
  }
  return managers;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Whether a client asks for `managedFields` to be forgotten: `[]` or `[{}]`. */
export function isReset(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > 1) return false;
  const [entry = {}] = value as readonly object[];
  return typeof entry === "object" && entry !== null && Object.keys(entry).length === 0;
}
