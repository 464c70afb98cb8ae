import type { FieldError } from "./field-error.ts";

/** Short makers of `FieldError`, named as apimachinery's `field` package names them. */
export function required(path: string, detail = ""): FieldError {
  return { type: "Required", path, detail };
}

export function invalidValue(path: string, value: unknown, detail: string): FieldError {
  return { type: "Invalid", path, value, detail };
}

export function forbidden(path: string, detail: string): FieldError {
  return { type: "Forbidden", path, detail };
}

export function duplicate(path: string, value: unknown): FieldError {
  return { type: "Duplicate", path, value, detail: "" };
}

/** The choices are named in order, in quotes. */
export function notSupported(path: string, value: unknown, choices: readonly string[]): FieldError {
  const names = [...choices].sort().map((choice) => JSON.stringify(choice));
  return { type: "NotSupported", path, value, detail: `supported values: ${names.join(", ")}` };
}

export function tooLong(path: string, limit: number): FieldError {
  return { type: "TooLong", path, detail: `may not be more than ${limit} bytes` };
}

/** One error for each message about the value. */
export function invalids(path: string, value: unknown, messages: readonly string[]): FieldError[] {
  return messages.map((detail) => invalidValue(path, value, detail));
}

/** An error unless the value, where given, is one of the choices. */
export function unlessOneOf(path: string, value: string | undefined, choices: readonly string[]): FieldError[] {
  return value === undefined || choices.includes(value) ? [] : [notSupported(path, value, choices)];
}

/** An error when the value changed. */
export function immutable(path: string, next: unknown, before: unknown): FieldError[] {
  return sameValue(next, before) ? [] : [invalidValue(path, next, "field is immutable")];
}

/** Whether two values of JSON are equal; absent, and empty lists and objects count as the same. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNothing(a) && isNothing(b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => sameValue(left[key], right[key]));
}

function isNothing(value: unknown): boolean {
  return value == null || (typeof value === "object" && Object.keys(value).length === 0);
}

export function tooMany(path: string, count: number, limit: number): FieldError {
  return { type: "TooMany", path, detail: `${count}: must have at most ${limit} items` };
}

export function notFound(path: string, value: unknown): FieldError {
  return { type: "NotFound", path, value, detail: "" };
}

/** An error unless the number, where given, is zero or more. */
export function unlessNatural(path: string, value: number | undefined): FieldError[] {
  return value === undefined || value >= 0 ? [] : [invalidValue(path, value, "must be greater than or equal to 0")];
}
