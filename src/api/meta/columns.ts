import type { Column } from "../kind.ts";
import { ageSince } from "./age.ts";
import type { KubeObject } from "./object.ts";
import type { LabelSelector } from "./selector.ts";

type Cell<T> = (object: T, now: number) => string;

/** A column of text that `kubectl get` always shows. */
export function textColumn<T>(name: string, cell: Cell<T>, description = ""): Column<T> {
  return { name, type: "string", priority: 0, description, cell };
}

/** A column of text that only `-o wide` shows. */
export function wideColumn<T>(name: string, cell: Cell<T>, description = ""): Column<T> {
  return { name, type: "string", priority: 1, description, cell };
}

export function numberColumn<T>(name: string, cell: (object: T) => number, description = ""): Column<T> {
  return { name, type: "integer", priority: 0, description, cell };
}

/** The first column of every kind. */
export const nameColumn: Column<KubeObject> = {
  name: "Name",
  type: "string",
  format: "name",
  priority: 0,
  description: "Name is unique within a namespace.",
  cell: ({ metadata }) => metadata.name,
};

export const ageColumn: Column<KubeObject> = textColumn(
  "Age",
  ({ metadata }, now) => ageSince(metadata.creationTimestamp, now),
  "How long ago the object was created.",
);

/** `a=b,c=d` sorted by key; `<none>` when empty. */
export function pairsText(pairs: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(pairs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? "<none>" : entries.map(([key, value]) => `${key}=${value}`).join(",");
}

/** A structured selector in text form, as `metav1.FormatLabelSelector` prints it. */
export function selectorText(selector: LabelSelector | undefined): string {
  if (selector === undefined) return "<none>";
  const terms = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }));
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const members = [...values].sort().join(",");
    const texts = {
      In: `${key} in (${members})`,
      NotIn: `${key} notin (${members})`,
      Exists: key,
      DoesNotExist: `!${key}`,
    };
    terms.push({ key, text: texts[operator] });
  }
  if (terms.length === 0) return "<none>";
  return terms
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ text }) => text)
    .join(",");
}
