import jsonpatch, { type Operation } from "fast-json-patch";
import { ApiError } from "../status.ts";

/** As upstream has them (`maxJSONPatchOperations`; the copy limit equals that of a request body). */
const operationLimit = 10_000;
const copyLimit = 3 * 1024 * 1024;

const names: ReadonlySet<unknown> = new Set(["add", "remove", "replace", "move", "copy", "test"]);

/**
 * JSON patch (RFC 6902), with upstream's one liberty: a `test` for null succeeds where the path does not exist. Throws
 * `ApiError`: BadRequest for what is no patch, RequestEntityTooLarge for one that is too long or copies too much,
 * Invalid for one that does not fit the object.
 */
export function applyJsonPatch(original: unknown, patch: unknown): unknown {
  const operations = readOperations(patch);
  let document = jsonpatch.deepClone(original) as unknown;
  let copied = 0;
  for (const [index, operation] of operations.entries()) {
    if (operation.op === "copy") copied += sizeAt(document, operation.from);
    if (copied > copyLimit) {
      const message = `Unable to complete the copy, the accumulated size increase of copy is ${copied}, exceeding the limit ${copyLimit}`;
      throw new ApiError("RequestEntityTooLarge", message);
    }
    if (operation.op === "test" && operation.value === null && valueAt(document, operation.path) === undefined)
      continue;
    document = applyOne(document, operation, index);
  }
  return document;
}

function readOperations(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) {
    throw new ApiError(
      "BadRequest",
      "error decoding patch: json: cannot unmarshal a value that is no list of operations",
    );
  }
  if (patch.length > operationLimit) {
    const message = `The allowed maximum operations in a JSON patch is ${operationLimit}, got ${patch.length}`;
    throw new ApiError("RequestEntityTooLarge", message);
  }
  return patch.map((operation: unknown) => {
    const { op, path, from } = (operation ?? {}) as { op?: unknown; path?: unknown; from?: unknown };
    if (!names.has(op) || typeof path !== "string") throw rejected();
    if ((op === "copy" || op === "move") && typeof from !== "string") throw rejected();
    // RFC 6902, 4.4: nothing can be moved into itself.
    if (op === "move" && path.startsWith(`${String(from)}/`)) throw rejected();
    // Applied values become part of the document, and the caller may apply the same patch again.
    return jsonpatch.deepClone(operation) as Operation;
  });
}

function applyOne(document: unknown, operation: Operation, index: number): unknown {
  try {
    const { newDocument, test } = jsonpatch.applyOperation(document, operation, true, true, true, index);
    if (test === false) throw rejected();
    return newDocument;
  } catch {
    throw rejected();
  }
}

function rejected(): ApiError {
  return new ApiError("Invalid", "the server rejected our request due to an error in our request");
}

function valueAt(document: unknown, path: string): unknown {
  try {
    return jsonpatch.getValueByPointer(document, path) as unknown;
  } catch {
    return undefined;
  }
}

function sizeAt(document: unknown, path: string): number {
  return (JSON.stringify(valueAt(document, path)) ?? "").length;
}
