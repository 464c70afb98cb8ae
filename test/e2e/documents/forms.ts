import { join } from "node:path";

/** Each document is run with its manifests as they were written and in today's form of the same API. */
export const forms = ["legacy", "current"] as const;

/** The path of one of a document's manifests, by the beginning of its file name. */
export function manifestOf(document: string, form: string): (name: string) => string {
  return (name) => join(import.meta.dirname, "../../../examples/documents", document, form, `${name}.yaml`);
}
