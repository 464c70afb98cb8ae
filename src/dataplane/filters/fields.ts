import { bytesOfText, plainValue } from "../page.ts";
import type { FieldEdits } from "./filter.ts";

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

/** Makes edits ready: later ones win over earlier ones of the same name. */
export function compileFieldEdits(
  lists: readonly (readonly (readonly [name: string, value: string | undefined])[])[],
): FieldEdits | undefined {
  const edits = new Map<string, { readonly name: string; readonly value: string | undefined }>();
  for (const [name, value] of lists.flat()) {
    const lower = name.toLowerCase();
    if (!namePattern.test(name) || framing.has(lower)) continue;
    edits.set(lower, { name, value: value === undefined ? undefined : plainValue(bytesOfText(value)) });
  }
  return edits.size === 0 ? undefined : edits;
}
