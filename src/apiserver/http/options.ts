import type { FieldError } from "#api/meta/field-error.ts";
import { type ApiError, invalid } from "#api/meta/status.ts";
import type { Exchange } from "./exchange.ts";

export type FieldValidation = "Ignore" | "Warn" | "Strict";

const operationOptions: Readonly<Record<string, string>> = {
  POST: "CreateOptions",
  PUT: "UpdateOptions",
  PATCH: "PatchOptions",
};

function optionsInvalid({ method }: Exchange, error: FieldError): ApiError {
  return invalid(operationOptions[method] ?? "DeleteOptions", "meta.k8s.io", "", [error]);
}

function unsupportedOption(exchange: Exchange, path: string, value: string, choices: readonly string[]): ApiError {
  const detail = `supported values: ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`;
  return optionsInvalid(exchange, { type: "NotSupported", path, value, detail });
}

export function fieldValidationOf(exchange: Exchange): FieldValidation {
  const asked = exchange.query.get("fieldValidation") ?? "";
  if (asked === "") return "Warn";
  if (asked === "Ignore" || asked === "Warn" || asked === "Strict") return asked;
  throw unsupportedOption(exchange, "fieldValidation", asked, ["Ignore", "Warn", "Strict"]);
}

/** `?dryRun=All`; anything else that is not empty is refused. */
export function dryRunOf(exchange: Exchange): boolean {
  const asked = exchange.query.getAll("dryRun").filter((value) => value !== "");
  const wrong = asked.find((value) => value !== "All");
  if (wrong !== undefined) throw unsupportedOption(exchange, "dryRun", wrong, ["All"]);
  return asked.length > 0;
}

const longestManager = 128;

/** Under which name the fields of a write are held: `?fieldManager=`, else the client's program by its User-Agent. */
export function fieldManagerOf(exchange: Exchange): string {
  const asked = exchange.query.get("fieldManager") ?? "";
  if (asked === "") return agentOf(exchange);
  const path = "fieldManager";
  if (asked.length > longestManager) {
    throw optionsInvalid(exchange, { type: "TooLong", path, detail: `may not be more than ${longestManager} bytes` });
  }
  const at = asked.search(unprintable);
  if (at !== -1) {
    const code = (asked.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const detail = `invalid character U+${code} (at position ${at})`;
    throw optionsInvalid(exchange, { type: "Invalid", path, value: asked, detail });
  }
  return asked;
}

const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;
const allUnprintable = new RegExp(unprintable, "gu");

function agentOf({ request }: Exchange): string {
  const [name = ""] = (request.headers["user-agent"] ?? "").split("/");
  return name.replaceAll(allUnprintable, "").slice(0, longestManager) || "unknown";
}

/** What only server-side apply may ask for, and must name. Throws `Invalid`. */
export function applyOptionsOf(exchange: Exchange): { readonly force: boolean } {
  if ((exchange.query.get("fieldManager") ?? "") === "") {
    const detail = "is required for apply patch";
    throw optionsInvalid(exchange, { type: "Required", path: "fieldManager", detail });
  }
  return { force: isTrue(exchange.query.get("force")) };
}

/** Throws `Invalid` for a `force` on a write that cannot be forced. */
export function refuseForce(exchange: Exchange): void {
  if (!exchange.query.has("force")) return;
  const detail = "may not be specified for non-apply patch";
  throw optionsInvalid(exchange, { type: "Forbidden", path: "force", detail });
}

/** A parameter that is given counts as true unless it says otherwise: upstream's `Convert_Slice_string_To_bool`. */
export function isAsked(text: string | null): boolean {
  return text !== null && text !== "0" && text.toLowerCase() !== "false";
}

/** As `strconv.ParseBool` reads a query's value; what is no truth is false. */
export function isTrue(text: string | null): boolean {
  return ["1", "t", "T", "TRUE", "true", "True"].includes(text ?? "");
}
