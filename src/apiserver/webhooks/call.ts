import { request as httpsRequest, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import type { Address } from "./address.ts";

/** The most that a webhook may answer; upstream's limit for what comes back from one. */
export const answerLimit = 3 * 1024 * 1024;

/**
 * Posts a review to a webhook and answers the body of a 200. Rejects with an `Error` whose message names the URL and what
 * went wrong. The certificate must be of `ca` (PEM), or of the machine's authorities without it.
 */
export async function callWebhook(
  { url, endpoint }: Address,
  body: string,
  { ca, timeoutMs }: { ca: string | undefined; timeoutMs: number },
): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const options: RequestOptions = {
    host: endpoint?.host ?? hostname,
    port: endpoint?.port ?? (url.port || 443),
    path: `${url.pathname}${url.search}`,
    method: "POST",
    agent: false,
    signal,
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json, */*",
      "Content-Length": Buffer.byteLength(body),
      "User-Agent": "kube-apiserver-admission",
      Host: url.host,
    },
    ...(ca === undefined ? {} : { ca }),
    // The certificate is the Service's, wherever the connection goes.
    ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
  };
  try {
    return await exchange(options, body);
  } catch (error) {
    const why = signal.aborted ? "context deadline exceeded" : (error as Error).message;
    throw new Error(`Post ${JSON.stringify(url.href)}: ${why}`, { cause: error });
  }
}

function exchange(options: RequestOptions, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > answerLimit) request.destroy(new Error(`the answer is larger than ${answerLimit} bytes`));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode = 0 } = response;
        if (statusCode === 200) resolve(Buffer.concat(chunks).toString());
        else reject(new Error(`the webhook answered ${statusCode}: ${Buffer.concat(chunks).toString().slice(0, 200)}`));
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}
