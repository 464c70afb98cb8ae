/**
 * Everything this parser refuses: a stable word, the status a server answers it with, and what nginx calls that status.
 * A proxy that reads one of these from an endpoint answers 502 whatever the status here. Parsers return them as negative
 * numbers, so that the hot path makes no objects.
 */
export interface Problem {
  readonly word: string;
  readonly status: number;
  readonly message: string;
}

const list = {
  "bad-method": [400, "the method is not a token of capital letters"],
  "bad-target": [400, "the request target holds a byte that is not allowed there"],
  "bad-version": [400, "the request line does not end in HTTP/1.0 or HTTP/1.1"],
  "version-unsupported": [505, "the major version of HTTP is not 1"],
  "bad-status-line": [400, "the status line is not HTTP/1.x, a space and three digits"],
  "bare-lf": [400, "a line ends in LF without CR"],
  "bare-cr": [400, "CR without LF"],
  "space-before-colon": [400, "white space between a field name and its colon"],
  "folded-line": [400, "a field goes on in a second line (obs-fold)"],
  "bad-field-name": [400, "a field name is not a token"],
  "bad-field-value": [400, "a field value holds a control character"],
  "line-too-long": [414, "the request line is too long"],
  "head-too-large": [400, "the head is too large"],
  "too-many-fields": [400, "the head has too many fields"],
  "no-host": [400, "an HTTP/1.1 request without Host"],
  "several-hosts": [400, "more than one Host"],
  "bad-host": [400, "Host is not a host and an optional port"],
  "host-mismatch": [400, "the request target and Host name different hosts"],
  "bad-content-length": [400, "Content-Length is not a plain decimal number"],
  "several-content-lengths": [400, "more than one Content-Length"],
  "length-and-chunked": [400, "both Content-Length and Transfer-Encoding"],
  "coding-unknown": [501, "a transfer coding other than chunked"],
  "several-codings": [400, "more than one Transfer-Encoding"],
  "coding-in-1.0": [400, "Transfer-Encoding in HTTP/1.0"],
  "bad-chunk-size": [400, "a chunk size is not a hexadecimal number"],
  "bad-chunk-extension": [400, "a chunk extension is too long or holds a control character"],
  "bad-chunk-end": [400, "a chunk does not end in CRLF"],
  "bad-trailer": [400, "the trailer section is not a list of fields, or names a field that frames a message"],
  "bad-path": [400, "the path holds a broken escape, NUL, or leaves the root"],
} as const;

export type ProblemWord = keyof typeof list;

const words = Object.keys(list) as ProblemWord[];

const byCode: readonly Problem[] = words.map((word) => ({ word, status: list[word][0], message: list[word][1] }));

/** The negative number that parsers return for a problem. */
export function refusal(word: ProblemWord): number {
  return -1 - words.indexOf(word);
}

/** The problem behind a negative number. */
export function problemOf(code: number): Problem {
  const problem = byCode[-1 - code];
  if (problem === undefined) throw new RangeError(`${code} is not a refusal of the HTTP/1.1 parser`);
  return problem;
}
