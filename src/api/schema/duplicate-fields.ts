/**
 * Finds fields that a JSON text writes twice in one object. `JSON.parse` keeps the last and says nothing, while clients
 * that ask for strict validation want to know. Returns the paths in the order of the text (`spec.ports[0].port`).
 *
 * The text must have passed `JSON.parse`: this looks at its tokens only.
 */
export function findDuplicateFields(text: string): string[] {
  const found: string[] = [];
  const stack: Frame[] = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;
  let pendingKey: string | undefined;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const top = stack.at(-1);
    switch (match[0]) {
      case "{":
        stack.push({ keys: new Set(), index: 0, key: undefined });
        break;
      case "[":
        stack.push({ keys: undefined, index: 0, key: undefined });
        break;
      case "}":
      case "]":
        stack.pop();
        break;
      case ",":
        if (top !== undefined) top.index += 1;
        break;
      case ":":
        if (top?.keys === undefined || pendingKey === undefined) break;
        top.key = pendingKey;
        if (top.keys.has(pendingKey)) found.push(pathOf(stack));
        top.keys.add(pendingKey);
        break;
      default:
        pendingKey = top?.keys === undefined ? undefined : (JSON.parse(match[0]) as string);
    }
  }
  return [...new Set(found)];
}

interface Frame {
  /** The keys seen so far; absent in a list. */
  readonly keys: Set<string> | undefined;
  key: string | undefined;
  index: number;
}

function pathOf(stack: readonly Frame[]): string {
  return stack
    .map(({ keys, key, index }, depth) => (keys === undefined ? `[${index}]` : `${depth === 0 ? "" : "."}${key}`))
    .join("");
}
