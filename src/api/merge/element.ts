/** The elements of a field's path in `fieldsV1`'s notation, and as people read them. */

export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** `keys` in the order of their names, so that one element has one spelling. */
export function keyElement(keys: readonly (readonly [name: string, value: unknown])[]): string {
  const texts = keys.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `k:{${texts.join(",")}}`;
}

export function valueElement(value: unknown): string {
  return `v:${JSON.stringify(value)}`;
}

/** An element as a client wrote it, in the one spelling used here; `undefined` for what is none. */
export function readElement(text: string): string | undefined {
  const rest = text.slice(2);
  try {
    switch (text.slice(0, 2)) {
      case "f:":
        return text;
      case "k:": {
        const keys: unknown = JSON.parse(rest);
        if (typeof keys !== "object" || keys === null || Array.isArray(keys)) return undefined;
        return keyElement(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1)));
      }
      case "v:":
        return valueElement(JSON.parse(rest));
      case "i:":
        return /^\d{1,9}$/.test(rest) ? text : undefined;
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

/** `.spec.ports[port=80,protocol="TCP"].targetPort`, as structured-merge-diff prints paths. */
export function pathText(path: readonly string[]): string {
  return path.map((element) => elementText(element)).join("");
}

function elementText(element: string): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case "f":
      return `.${rest}`;
    case "k": {
      const keys = Object.entries(JSON.parse(rest) as Record<string, unknown>);
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
    }
    case "v":
      return `[=${rest}]`;
    default:
      return `[${rest}]`;
  }
}
