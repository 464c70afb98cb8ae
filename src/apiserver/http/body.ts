import type { IncomingMessage } from "node:http";
import { ApiError } from "#api/meta/status.ts";
import { masters } from "../auth/authorize.ts";
import type { Exchange } from "./exchange.ts";
import { tooManyRequests } from "./gate.ts";

/** Upstream's limit for one object. */
export const bodyLimit = 3 * 1024 * 1024;

/** What the bodies of all requests being answered may take together; whose body is more is told to come again. */
export const bodiesLimit = 128 * 1024 * 1024;

/** Memory for bodies, given out and given back. */
export interface ByteBudget {
  /** False when there is not so much left. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function createByteBudget(limit: number): ByteBudget {
  let left = limit;
  return {
    take(bytes) {
      if (bytes > left) return false;
      left -= bytes;
      return true;
    },
    give(bytes) {
      left += bytes;
    },
  };
}

/**
 * The whole body. Rejects with `RequestEntityTooLarge` once it is longer than the limit, and with `TooManyRequests` when
 * all bodies together would be.
 */
export function readBody({ request, response, parts, user }: Exchange): Promise<Buffer> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > bodyLimit) return Promise.reject(tooLarge());
  const isExempt = user.groups.includes(masters);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let taken = 0;
    const refuse = (error: ApiError) => {
      request.removeAllListeners("data");
      request.resume();
      reject(error);
    };
    // What is made of a body lives as long as its answer.
    response.once("close", () => parts.bodies.give(taken));
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > bodyLimit) return refuse(tooLarge());
      if (!isExempt) {
        if (response.closed || !parts.bodies.take(chunk.length)) return refuse(tooManyRequests());
        taken += chunk.length;
      }
      chunks.push(chunk);
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    const endedEarly = () => reject(new ApiError("BadRequest", "the request ended before its body was complete"));
    request.on("error", endedEarly);
    request.on("close", () => {
      if (!request.complete) endedEarly();
    });
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
