/** Deeper than any form the API serves, and far from what would exhaust the stack of those who walk the value. */
const deepest = 1000;

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = Buffer.from('"\\{}[]');

/** A body of JSON as a value. Throws an `Error` for what is no JSON, and for lists and objects nested too deeply. */
export function parseJson(body: Buffer): unknown {
  if (isNestedDeeper(body, deepest)) throw new Error(`exceeded max depth of ${deepest}`);
  return JSON.parse(body.toString("utf8"));
}

function isNestedDeeper(body: Buffer, limit: number): boolean {
  // Each level takes two bytes at least: most bodies are too short to be looked at.
  if (body.length <= 2 * limit) return false;
  let depth = 0;
  let inText = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (inText) {
      if (byte === backslash) at += 1;
      else if (byte === quote) inText = false;
    } else if (byte === quote) inText = true;
    else if (byte === openBrace || byte === openBracket) {
      depth += 1;
      if (depth > limit) return true;
    } else if (byte === closeBrace || byte === closeBracket) depth -= 1;
  }
  return false;
}
