import type { Filter } from "../table.ts";

/** Which answers of a route are compressed. */
export interface Compression {
  readonly level: number;
  /** Whether an answer of this type and length (`undefined` when nobody knows it) is worth it. */
  takes(contentType: string, length: number | undefined): boolean;
}

/** The first of a route's `gzip` filters, ready; text/html is always among the types, as in nginx. */
export function compileCompression(filters: readonly Filter[]): Compression | undefined {
  const filter = filters.find(({ type }) => type === "gzip");
  if (filter?.type !== "gzip") return undefined;
  const types = new Set(["text/html", ...filter.types.map((type) => type.toLowerCase())]);
  return {
    level: filter.level,
    takes(contentType, length) {
      const type = contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
      return (types.has("*") || types.has(type)) && (length === undefined || length >= filter.minBytes);
    },
  };
}

/** Whether a client that says this in Accept-Encoding takes gzip (RFC 9110 section 12.5.3). */
export function acceptsGzip(field: string | undefined): boolean {
  let byStar = false;
  for (const item of field?.split(",") ?? []) {
    const [coding = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
    const isRefused = parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter));
    if (coding === "gzip" || coding === "x-gzip") return !isRefused;
    if (coding === "*") byStar = !isRefused;
  }
  return byStar;
}
