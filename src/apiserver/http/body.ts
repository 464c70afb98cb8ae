import type { IncomingMessage } from "node:http";
import { ApiError } from "#api/meta/status.ts";

/** Upstream's limit for one object. */
export const bodyLimit = 3 * 1024 * 1024;

/** The whole body. Rejects with `RequestEntityTooLarge` once it is longer than the limit. */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > bodyLimit) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > bodyLimit) {
        request.removeAllListeners("data");
        request.resume();
        reject(tooLarge());
        return;
      }
      chunks.push(chunk);
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("close", () => reject(new ApiError("BadRequest", "the request ended before its body was complete")));
  });
}

function tooLarge(): ApiError {
  return new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${bodyLimit}`);
}

/** The media type without parameters; a missing one is JSON, as many clients have it. */
export function mediaTypeOf(request: IncomingMessage): string {
  const header = request.headers["content-type"] ?? "";
  return header.split(";")[0]?.trim().toLowerCase() || "application/json";
}
