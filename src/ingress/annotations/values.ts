import { parseAddress, parseCidr } from "#base/cidr.ts";
import { unknownVariables } from "#dataplane/filters/template.ts";
import type { RetryCondition } from "#dataplane/table.ts";

/** Go's `strconv.ParseBool`. */
export function parseBool(text: string): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  return undefined;
}

/** A decimal integer as Go's `strconv.Atoi` takes it. */
export function parseInteger(text: string): number | undefined {
  if (!/^[+-]?\d{1,15}$/.test(text)) return undefined;
  return Number(text);
}

/** A number of things, not negative. */
export function parseCount(text: string): number | undefined {
  return /^\+?\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** The statuses that nginx knows in `proxy_next_upstream`. */
const retried = ["403", "404", "429", "500", "502", "503", "504"];

/** The words of nginx' `proxy_next_upstream`; none with `off`. */
export function parseRetryConditions(text: string): readonly RetryCondition[] | undefined {
  const words = text.split(/\s+/);
  if (words.includes("off")) return [];
  const known = words.flatMap((word): RetryCondition[] => {
    if (word === "error" || word === "timeout" || word === "invalid_header" || word === "non_idempotent") return [word];
    const status = /^http_(\d{3})$/.exec(word)?.[1];
    return status !== undefined && retried.includes(status) ? [`http_${Number(status)}`] : [];
  });
  return known.length === words.length ? known : undefined;
}

/** Whole seconds, given back in milliseconds; more than a day's worth of timer is cut to what timers can hold. */
export function parseSeconds(text: string): number | undefined {
  const seconds = parseInteger(text);
  return seconds === undefined || seconds < 0 ? undefined : Math.min(seconds * 1000, 2 ** 31 - 1);
}

/** A size as nginx writes it, `10m`, in bytes. `b` is accepted as ingress-nginx does; 0 means no limit. */
export function parseSize(text: string): number | undefined {
  const found = /^(\d{1,12})([bkmg]?)$/i.exec(text);
  if (found === null) return undefined;
  const unit = { "": 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[(found[2] ?? "").toLowerCase()] ?? 1;
  const bytes = Number(found[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Text of these characters only; never with a line break. */
export function textOf(pattern: RegExp): (text: string) => string | undefined {
  return (text) => (/[\r\n\0]/.test(text) || !pattern.test(text) ? undefined : text);
}

/** The characters of ingress-nginx's `RegexPathWithCapture`. */
export const parsePathWithCapture = textOf(/^\/?[-._~A-Za-z0-9/:$]*$/);

/** The characters of ingress-nginx's `URLIsValidRegex`. */
export const parseUrl = textOf(/^[-._~A-Za-z0-9/:?&=]*$/);

/** What spans may be called. */
export const parseOperation = textOf(/^[A-Za-z0-9_-]*$/);

/** A host name with an optional port. */
export const parseServerName = textOf(/^[A-Za-z0-9._:*-]+$/);

/** Exactly one of these words, in any case; given back as listed. */
export function oneOf<const T extends string>(words: readonly T[]): (text: string) => T | undefined {
  return (text) => words.find((word) => word.toLowerCase() === text.toLowerCase());
}

/** Ranges (`10.0.0.0/8`) and addresses, parted by commas. */
export function parseRanges(text: string): readonly string[] | undefined {
  const ranges = parseList(text);
  const isRange = (range: string) => (range.includes("/") ? parseCidr(range) : parseAddress(range)) !== undefined;
  return ranges.length > 0 && ranges.every(isRange) ? ranges : undefined;
}

/** What stands between commas, without white space around it and without empty items. */
export function parseList(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** `name` of this namespace, or `namespace/name` with the same namespace, given back in full. */
export function parseObjectKey(namespace: string): (text: string) => string | undefined {
  return (text) => {
    const [first = "", second] = text.split("/");
    const [space, name] = second === undefined ? [namespace, first] : [first, second];
    const isKey = space === namespace && /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(name);
    return isKey && text.split("/").length <= 2 ? `${space}/${name}` : undefined;
  };
}

/** Printable text without what ends a quoted value; its variables are all known. */
export function parseTemplate(text: string): string | undefined {
  return /^[!#-&(-[\]-~ ]*$/.test(text) && unknownVariables(text).length === 0 ? text : undefined;
}

/** The same without spaces, as a URL is. */
export function parseUrlTemplate(text: string): string | undefined {
  return /[ <>{}]/.test(text.replace(/\$\{\w+\}/g, "")) ? undefined : parseTemplate(text);
}

/** A field name. */
export const parseFieldName = textOf(/^[A-Za-z0-9-]+$/);

/** Field names, parted by commas. */
export function parseFieldNames(text: string): readonly string[] | undefined {
  const names = parseList(text);
  return names.length > 0 && names.every((name) => parseFieldName(name) !== undefined) ? names : undefined;
}
