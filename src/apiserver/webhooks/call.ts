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
  { url, text, endpoint }: Address,
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
    const why = signal.aborted ? "context deadline exceeded" : reasonOf(error as NodeJS.ErrnoException, options);
    throw new Error(`Post ${JSON.stringify(text)}: ${why}`, { cause: error });
  }
}

const unknownAuthority = "tls: failed to verify certificate: x509: certificate signed by unknown authority";

/** What went wrong, in the words that people know from upstream where there are such. */
function reasonOf({ code, message }: NodeJS.ErrnoException, { host, port }: RequestOptions): string {
  switch (code) {
    case "ECONNREFUSED":
      return `dial tcp ${host}:${port}: connect: connection refused`;
    case "EHOSTUNREACH":
      return `dial tcp ${host}:${port}: connect: no route to host`;
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return unknownAuthority;
    case "CERT_HAS_EXPIRED":
      return "tls: failed to verify certificate: x509: certificate has expired or is not yet valid";
    default:
      return message;
  }
}

/** An answer that is no 200, as client-go puts it. */
function refusal(code: number, body: string): Error {
  const said = JSON.stringify(body.slice(0, 200) || "unknown");
  if (code === 404) return new Error("the server could not find the requested resource");
  if (code >= 500) return new Error(`an error on the server (${said}) has prevented the request from succeeding`);
  return new Error(`the webhook answered ${code}: ${said}`);
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
        else reject(refusal(statusCode, Buffer.concat(chunks).toString()));
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}
