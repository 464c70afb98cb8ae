import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { createLookup } from "#dataplane/transport/lookup.ts";

/** What a responder may take and send. */
const limits = { ms: 10_000, bytes: 64 * 1024 };

/** Asks an OCSP responder; rejects with what went wrong, in words. */
export type FetchOcsp = (url: string, body: Buffer) => Promise<Buffer>;

const lookup = createLookup();

/** By HTTP POST (RFC 6960 appendix A.1), without following anybody elsewhere. The URL is from a certificate: somebody else's word. */
export const fetchOcsp: FetchOcsp = async (url, body) => {
  const { protocol } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") throw new Error(`${protocol} is not spoken`);
  const send = protocol === "http:" ? requestHttp : requestHttps;
  const headers = { "Content-Type": "application/ocsp-request", "Content-Length": body.length };
  const signal = AbortSignal.timeout(limits.ms);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = send(url, { method: "POST", headers, signal, lookup, agent: false }, resolve);
    request.once("error", reject);
    request.end(body);
  });
  try {
    if (response.statusCode !== 200) throw new Error(`it answered ${response.statusCode}`);
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of response as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > limits.bytes) throw new Error(`its answer is longer than ${limits.bytes} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts);
  } finally {
    response.destroy();
  }
};
