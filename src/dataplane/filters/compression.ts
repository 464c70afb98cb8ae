import type { ContentCoding, Filter } from "../table.ts";

type CompressFilter = Extract<Filter, { type: "compress" }>;

/** How an answer can be compressed. */
export interface Offer {
  readonly coding: ContentCoding;
  readonly level: number;
}

/** Which answers of a route are compressed, and how. */
export interface Compression {
  /** What an answer of this type and length (`undefined` when nobody knows it) is worth being compressed by, best first. */
  offersFor(contentType: string, length: number | undefined): readonly Offer[];
}

/** What is taken where a client takes several equally: brotli first, as in ingress-nginx. */
const order: readonly ContentCoding[] = ["br", "zstd", "gzip"];

/** A route's `compress` filters, ready, the first of each coding; text/html is always among the types, as in nginx. */
export function compileCompression(filters: readonly Filter[]): Compression | undefined {
  const wanted = filters.filter((filter): filter is CompressFilter => filter.type === "compress");
  if (wanted.length === 0) return undefined;
  const offers = order.flatMap((coding) => {
    const filter = wanted.find((filter) => filter.coding === coding);
    if (filter === undefined) return [];
    const types = new Set(["text/html", ...filter.types.map((type) => type.toLowerCase())]);
    return [{ coding, level: filter.level, minBytes: filter.minBytes, types }];
  });
  return {
    offersFor(contentType, length) {
      const type = contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
      return offers.filter(
        ({ types, minBytes }) => (types.has("*") || types.has(type)) && (length === undefined || length >= minBytes),
      );
    },
  };
}

/**
 * The offer that a client takes that says this in Accept-Encoding (RFC 9110 section 12.5.3): the one of the highest
 * weight, the first of several. None where the client would rather have the answer as it is.
 */
export function chooseOffer(offers: readonly Offer[], field: string | undefined): Offer | undefined {
  const weights = readWeights(field ?? "");
  let best: Offer | undefined;
  let bestWeight = weights.get("identity") ?? 0;
  for (const offer of offers) {
    const weight = weights.get(offer.coding) ?? weights.get("*") ?? 0;
    if (weight === 0 || weight < bestWeight || (weight === bestWeight && best !== undefined)) continue;
    best = offer;
    bestWeight = weight;
  }
  return best;
}

/** By coding; one whose weight cannot be read is not taken. */
function readWeights(field: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const item of field.split(",")) {
    const [coding = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
    if (coding === "") continue;
    const given = parameters.find((parameter) => parameter.startsWith("q="));
    const weight =
      given === undefined ? 1 : /^q=(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(given) ? Number(given.slice(2)) : 0;
    weights.set(coding === "x-gzip" ? "gzip" : coding, weight);
  }
  return weights;
}
