import type { FieldError } from "../../meta/field-error.ts";
import { invalidValue, notSupported, required } from "../../meta/field-errors.ts";
import type { IngressPath } from "./kind.ts";
import { validateBackend } from "./validate-backend.ts";

/** What could make two readers see two different paths. */
const forbiddenParts = ["//", "/./", "/../", "%2f", "%2F"] as const;
const forbiddenEnds = ["/..", "/."] as const;
const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"] as const;

export function validatePath(entry: IngressPath, at: string): FieldError[] {
  const backend = validateBackend(entry.backend ?? {}, `${at}.backend`);
  if (!entry.pathType) return [required(`${at}.pathType`, "pathType must be specified"), ...backend];
  return [...validateText(entry, at), ...backend];
}

function validateText({ path = "", pathType }: IngressPath, at: string): FieldError[] {
  const wrong = (detail: string) => invalidValue(`${at}.path`, path, detail);
  switch (pathType) {
    case "Exact":
    case "Prefix":
      return [
        ...(path.startsWith("/") ? [] : [wrong("must be an absolute path")]),
        ...forbiddenParts.filter((part) => path.includes(part)).map((part) => wrong(`must not contain '${part}'`)),
        ...forbiddenEnds.filter((end) => path.endsWith(end)).map((end) => wrong(`cannot end with '${end}'`)),
      ];
    case "ImplementationSpecific":
      return path === "" || path.startsWith("/") ? [] : [wrong("must be an absolute path")];
    default:
      return [notSupported(`${at}.pathType`, pathType, pathTypes)];
  }
}
