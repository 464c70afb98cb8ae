import type { Element, SetName } from "./element.ts";

export interface Complaint {
  /** In a line, without all the elements that stood beside the one it is about. */
  readonly text: string;
  readonly at?: Omit<Element, "value">;
}

/** Of what a transaction counts on: another program took it away, and no Service is to blame. */
const missing = "No such file or directory";

/**
 * Reads what nft says of a transaction that is refused: words, the command, and below it a mark where it is wrong. Pure.
 */
export function parseComplaint(said: string): Complaint {
  const lines = said.split("\n");
  const index = lines.findIndex((line) => line.includes("Error: "));
  const [words = "", command = "", marks = ""] = lines.slice(index === -1 ? 0 : index);
  const column = marks.indexOf("^");
  const text = words.replace(/^.*?Error: /, "").trim();
  const [, verb, set, start] = column === -1 ? [] : elementBefore(command, column);
  if (set === undefined || start === undefined) {
    const about = command.trim() === "" ? "" : ` (${command.trim().slice(0, 300)})`;
    return { text: `${text}${about}` };
  }
  const [element = ""] = command.slice(Number(start)).split(/, | \}/, 1);
  const [key = ""] = element.split(" : ");
  const about = `${text} (${verb} element ${set} { ${element} })`;
  return text.endsWith(missing) ? { text: about } : { text: about, at: { set: set as SetName, key } };
}

/** The last command of elements that begins before the column, and where its element at the column begins. */
function elementBefore(command: string, column: number): (string | undefined)[] {
  const before = command.slice(0, column + 1);
  const begin = before.lastIndexOf(" element ");
  const found = /(add|delete) element ip6? \S+ (\S+) \{ /.exec(command.slice(Math.max(0, begin - "delete".length)));
  if (begin === -1 || found === null) return [];
  const first = Math.max(0, begin - "delete".length) + found.index + found[0].length;
  // It is about the table or the set.
  if (column < first) return [];
  return [undefined, found[1], found[2], String(Math.max(first, before.lastIndexOf(", ") + 2))];
}
