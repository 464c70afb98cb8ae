/**
 * Finds the common forms of expressions that take exponential time on a path that a client chooses: a repetition of
 * something that can itself repeat, or choose, in more than one way for the same text. Such a path would let any client
 * stop a worker; nginx is saved from it by PCRE's limit of steps, which JavaScript has not. Judges by the text alone: a
 * repeated group is fine when each round must pass a character that its inner repetitions cannot take, as in
 * `(/[^/]+)*`. It is no proof: some expressions that it lets through are still slow.
 */
export function canBacktrackForever(source: string): boolean {
  const parser: Parser = { source, at: 0 };
  const alternatives = parseAlternatives(parser);
  return alternatives.some((sequence) => sequence.some(isRisky));
}

interface Parser {
  readonly source: string;
  at: number;
}

interface Piece {
  /** The text of one character, class or escape; empty for a group. */
  readonly leaf: string;
  readonly alternatives?: readonly (readonly Piece[])[];
  readonly min: number;
  readonly isUnbounded: boolean;
}

/** More repetitions than this count as endless. */
const manyTimes = 50;

/** Printable ASCII: what two pieces are compared by. */
const alphabet = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));

function isRisky(piece: Piece): boolean {
  const { alternatives = [], isUnbounded } = piece;
  if (isUnbounded && (alternatives.some(hasNoSeparator) || canChooseTwice(alternatives))) return true;
  return alternatives.some((sequence) => sequence.some(isRisky));
}

/** A round of this can repeat inside and nothing forces where it ends. */
function hasNoSeparator(sequence: readonly Piece[]): boolean {
  const repeated = sequence.flatMap(repeatedLeaves);
  if (repeated.length === 0) return false;
  return !sequence.some(({ leaf, min, isUnbounded }) => {
    const isLiteral = leaf.length === 1 ? leaf !== "." && leaf !== "^" && leaf !== "$" : /^\\[^\w]$/.test(leaf);
    return isLiteral && min === 1 && !isUnbounded && !repeated.some((other) => takes(other, leaf.at(-1) ?? ""));
  });
}

function repeatedLeaves({ leaf, alternatives, isUnbounded }: Piece): string[] {
  if (alternatives === undefined) return isUnbounded ? [leaf] : [];
  const inner = alternatives.flat();
  return isUnbounded ? inner.flatMap(allLeaves) : inner.flatMap(repeatedLeaves);
}

function allLeaves({ leaf, alternatives }: Piece): string[] {
  return alternatives === undefined ? [leaf] : alternatives.flat().flatMap(allLeaves);
}

/** Two alternatives begin with the same character, and one of them is nothing but that character. */
function canChooseTwice(alternatives: readonly (readonly Piece[])[]): boolean {
  return alternatives.some((one, index) => {
    if (one.length !== 1) return false;
    return alternatives.some((other, position) => {
      const [first, second] = [one[0]?.leaf ?? "", other[0]?.leaf ?? ""];
      return position !== index && alphabet.some((character) => takes(first, character) && takes(second, character));
    });
  });
}

function takes(leaf: string, character: string): boolean {
  if (leaf === "" || leaf === "^" || leaf === "$") return false;
  try {
    return new RegExp(`^(?:${leaf})$`, "i").test(character);
  } catch {
    return true;
  }
}

function parseAlternatives(parser: Parser): Piece[][] {
  const alternatives: Piece[][] = [[]];
  while (parser.at < parser.source.length && parser.source[parser.at] !== ")") {
    if (parser.source[parser.at] === "|") {
      parser.at += 1;
      alternatives.push([]);
    } else alternatives.at(-1)?.push(parsePiece(parser));
  }
  return alternatives;
}

/** A character, a class, an escape, or the head of a group. */
const leafPattern =
  /\\(?:u\{[^}]*\}|[pP]\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|k<[^>]*>|[^])|\[(?:\\[^]|[^\]\\])*\]|[^]/y;
const groupPattern = /\((?:\?(?:[:=!]|<[=!]|<[^>]*>|[a-z]*(?:-[a-z]*)?:))?/y;
const quantifierPattern = /(?:([*+?])|\{(\d+)(,(\d*))?\})[?+]?/y;

function parsePiece(parser: Parser): Piece {
  let leaf = "";
  let alternatives: Piece[][] | undefined;
  if (parser.source[parser.at] === "(") {
    read(parser, groupPattern);
    alternatives = parseAlternatives(parser);
    parser.at += 1;
  } else leaf = read(parser, leafPattern)?.[0] ?? "";
  const [, sign, from, comma, to] = read(parser, quantifierPattern) ?? [];
  const min = sign === "*" || sign === "?" ? 0 : from === undefined ? 1 : Number(from);
  const max = comma === undefined ? min : to === "" || to === undefined ? Infinity : Number(to);
  const isUnbounded = sign === "*" || sign === "+" || (from !== undefined && max > manyTimes);
  return { leaf, ...(alternatives === undefined ? {} : { alternatives }), min, isUnbounded };
}

function read(parser: Parser, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = parser.at;
  const found = pattern.exec(parser.source) ?? undefined;
  parser.at += found?.[0].length ?? 0;
  return found;
}
