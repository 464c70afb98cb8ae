import { ApiError } from "#api/meta/status.ts";

const version = "meta.k8s.io/v1";

/** Where the next page starts: after `key`, as things were at `revision` (-1: as they are then). */
export function continueToken(revision: number, key: string): string {
  return Buffer.from(JSON.stringify({ v: version, rv: revision, start: `${key}\0` })).toString("base64url");
}

/** Throws `BadRequest` for what is no token of ours. */
export function readContinueToken(token: string): { revision: number; after: string } {
  const bad = (why: string) => new ApiError("BadRequest", `invalid continue token: continue key is not valid: ${why}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(token, "base64url").toString());
  } catch (error) {
    throw bad((error as Error).message);
  }
  const { v, rv, start } = (parsed ?? {}) as { v?: unknown; rv?: unknown; start?: unknown };
  if (v !== version) throw bad("unrecognized encoded version");
  if (typeof rv !== "number" || !Number.isSafeInteger(rv) || rv < -1 || rv === 0)
    throw bad("incorrect resourceVersion");
  if (typeof start !== "string" || start === "") throw bad("encoded start is missing");
  return { revision: rv, after: start.replace(/\0$/, "") };
}
