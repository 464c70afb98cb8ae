import { bytesOfText, plainValue } from "../page.ts";
import type { FieldEdit, FieldEdits } from "./filter.ts";

const namePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Fields that frame a message or belong to one hop: an edit of them would break the connection, so none is made. */
const framing = new Set([
  "content-length",
  "transfer-encoding",
  "connection",
  "upgrade",
  "keep-alive",
  "trailer",
  "te",
]);

/** Whether rules may set or remove this field at all. */
export function mayEdit(name: string): boolean {
  return namePattern.test(name) && !framing.has(name.toLowerCase());
}

/** Changes of fields that are gathered one by one. What must not be changed is left alone. */
export class Edits implements FieldEdits {
  private readonly named = new Map<string, FieldEdit>();
  private readonly lengths = new Set<number>();
  private readonly added: FieldEdit[] = [];

  /** Replaces the field, or removes it with `undefined`. */
  set(name: string, value: string | undefined): void {
    if (!mayEdit(name)) return;
    this.lengths.add(name.length);
    this.named.set(name.toLowerCase(), { name, value: value === undefined ? undefined : cleanValue(value) });
  }

  /** Writes one more line of the field and leaves the others (Set-Cookie). */
  add(name: string, value: string): void {
    if (mayEdit(name)) this.added.push({ name, value: cleanValue(value) });
  }

  /** Leaves Content-Length out, for a body whose length changes. */
  dropLength(): void {
    this.lengths.add("content-length".length);
    this.named.set("content-length", { name: "Content-Length", value: undefined });
  }

  /** Frames the body by its length, in bytes. */
  setLength(bytes: number): void {
    this.dropLength();
    this.lengths.add("transfer-encoding".length);
    this.named.set("transfer-encoding", { name: "Transfer-Encoding", value: undefined });
    this.named.set("content-length", { name: "Content-Length", value: String(bytes) });
  }

  get isEmpty(): boolean {
    return this.named.size === 0 && this.added.length === 0;
  }

  has(name: string): boolean {
    return this.named.has(name);
  }

  hasLength(length: number): boolean {
    return this.lengths.has(length);
  }

  values(): Iterable<FieldEdit> {
    return this.added.length === 0 ? this.named.values() : [...this.named.values(), ...this.added];
  }
}

function cleanValue(value: string): string {
  return plainValue(bytesOfText(value));
}

/** Makes a route's edits ready: later ones win over earlier ones of the same name. */
export function compileFieldEdits(
  lists: readonly (readonly (readonly [name: string, value: string | undefined])[])[],
): FieldEdits | undefined {
  const edits = new Edits();
  for (const [name, value] of lists.flat()) edits.set(name, value);
  return edits.isEmpty ? undefined : edits;
}

/** A route's edits and those of one request, which win. */
export function joinEdits(route: FieldEdits | undefined, request: Edits | undefined): FieldEdits | undefined {
  if (request === undefined || request.isEmpty) return route;
  if (route === undefined) return request;
  return {
    has: (name) => request.has(name) || route.has(name),
    hasLength: (length) => request.hasLength(length) || route.hasLength(length),
    values: () => [...[...route.values()].filter(({ name }) => !request.has(name.toLowerCase())), ...request.values()],
  };
}
