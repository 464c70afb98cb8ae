import type { Ingress } from "#api/networking/ingress/kind.ts";
import { sourceOf, type Problem } from "#routing/because.ts";
import type { RouteSettings } from "#routing/l7/settings.ts";

/**
 * What a value that cannot be used does, as ingress-nginx classes it: `ignore` the annotation as if it were absent,
 * `drop` the whole Ingress, or `deny` with 503 on all its routes. Each leaves a problem.
 */
export type BadValue = "ignore" | "drop" | "deny";

/** Reads one Ingress's annotations and collects what was wrong with them. */
export interface AnnotationReader {
  /** Of the Ingress. */
  readonly namespace: string;
  /** `namespace/name`. */
  readonly ingress: string;
  /** The parsed value; `undefined` when absent, empty or bad. `expected` ends the sentence `it must be ...`. */
  read<T>(key: string, parse: (text: string) => T | undefined, bad: BadValue, expected: string): T | undefined;
  /** The trimmed text, `undefined` when absent or empty. */
  text(key: string): string | undefined;
  has(key: string): boolean;
  keys(): readonly string[];
  /** Records a problem with an annotation and, unless `ignore`, what it does to the Ingress. */
  fail(key: string, code: string, message: string, bad: BadValue): void;
  outcome(): Pick<RouteSettings, "verdict" | "problems">;
}

/** Longer values are shown cut. */
const shownLength = 60;

export function createReader(ingress: Ingress): AnnotationReader {
  const annotations = ingress.metadata.annotations ?? {};
  const problems: Problem[] = [];
  let verdict: RouteSettings["verdict"] = "serve";

  const reader: AnnotationReader = {
    namespace: ingress.metadata.namespace ?? "",
    ingress: `${ingress.metadata.namespace}/${ingress.metadata.name}`,
    text(key) {
      const value = annotations[key];
      if (value === undefined) return undefined;
      const lines = value.split("\n").map((line) => line.trim());
      return lines.join("\n").trim() || undefined;
    },
    has: (key) => reader.text(key) !== undefined,
    keys: () => Object.keys(annotations),
    read(key, parse, bad, expected) {
      const text = reader.text(key);
      if (text === undefined) return undefined;
      const value = parse(text);
      if (value === undefined) {
        const shown = JSON.stringify(text.length > shownLength ? `${text.slice(0, shownLength)}...` : text);
        reader.fail(key, "annotation-invalid", `${shown} is not usable, it must be ${expected}`, bad);
      }
      return value;
    },
    fail(key, code, message, bad) {
      const effect = {
        ignore: "the annotation is ignored",
        drop: "the Ingress is not configured until this is put right",
        deny: "all routes of the Ingress answer 503 until this is put right",
      }[bad];
      const at = sourceOf(ingress, `metadata.annotations[${key}]`);
      problems.push({ at, code, message: `${key}: ${message}; ${effect}` });
      if (bad === "drop" || (bad === "deny" && verdict === "serve")) verdict = bad;
    },
    outcome: () => ({ verdict, problems }),
  };
  return reader;
}
