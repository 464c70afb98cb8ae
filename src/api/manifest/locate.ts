import { isMap, isNode, isPair, isScalar, isSeq, type Node } from "yaml";
import { messageOf, scalarMessages, type Field, type Message } from "../schema/message.ts";

/** Where a field path of an object ends: its place in the text, and the form that should have had the field. */
export interface Located {
  /** Offset of the field's key, or of the innermost part of the path that the text has. */
  readonly offset: number;
  /** The message whose field the last part of the path names; absent within maps. */
  readonly parent: Message | undefined;
  readonly field: string;
}

/**
 * Follows a path such as `spec.ports[0].foo` through a YAML tree and the schema. Keys may hold dots themselves; the
 * longest key that fits is taken.
 */
export function locate(root: Node, path: string, schemaName: string): Located {
  let node: Node | undefined = root;
  let message: Message | undefined = messageOf(schemaName);
  let parent: Message | undefined = message;
  let offset = root.range?.[0] ?? 0;
  let field = "";
  let rest = path;
  let inMap = false;
  while (rest !== "") {
    const index = /^\[(\d+)\]\.?/.exec(rest);
    if (index !== null) {
      const item: unknown = isSeq(node) ? node.items[Number(index[1])] : undefined;
      node = isNode(item) ? item : undefined;
      rest = rest.slice(index[0].length);
    } else {
      const entry = longestEntry(node, rest);
      field = entry?.key ?? rest.replace(/[.[].*$/s, "");
      node = entry?.value;
      if (entry !== undefined) offset = entry.offset;
      rest = rest.slice(field.length).replace(/^\./, "");
      if (inMap) {
        inMap = false;
        parent = undefined;
        continue;
      }
      parent = message;
      const known: Field | undefined = message?.byName.get(field);
      inMap = known?.form === "map";
      message =
        known?.message === undefined || scalarMessages.has(known.message) ? undefined : messageOf(known.message);
      continue;
    }
    if (node?.range != null) offset = node.range[0];
  }
  return { offset, parent, field };
}

interface Entry {
  readonly key: string;
  readonly offset: number;
  readonly value: Node | undefined;
}

function longestEntry(node: Node | undefined, rest: string): Entry | undefined {
  if (!isMap(node)) return undefined;
  let best: Entry | undefined;
  for (const pair of node.items) {
    if (!isPair(pair) || !isScalar(pair.key)) continue;
    const key = String(pair.key.value);
    const next = rest[key.length];
    const fits = rest.startsWith(key) && (next === undefined || next === "." || next === "[");
    if (!fits || (best !== undefined && best.key.length >= key.length)) continue;
    best = { key, offset: pair.key.range?.[0] ?? 0, value: isNode(pair.value) ? pair.value : undefined };
  }
  return best;
}
