import { Agent, request as httpsRequest } from "node:https";
import type { ClientRequest, IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { ApiError, type Status, type StatusReason } from "#api/meta/status.ts";

/** How to reach an API server and prove who is asking. */
export interface ConnectionOptions {
  /** `https://127.0.0.1:6443` */
  server: string;
  /** PEM; the system's authorities by default. */
  ca?: string;
  cert?: string;
  key?: string;
  token?: string;
  /** Called before each request where the token may be renewed on disk; wins over `token`. */
  tokenSource?: () => string;
  /** The name the server's certificate is checked against, where it differs from the host. */
  tlsServerName?: string;
  insecureSkipTlsVerify?: boolean;
  /** `fairlead-agent` or the like: User-Agent and field manager. */
  name?: string;
  /** The most requests on their way at once, watches apart; 8 by default. */
  maxConnections?: number;
}

/** Requests to one API server over connections that are kept. */
export interface Connection {
  /** The parsed answer; rejects with `ApiError`. A `body` is sent as JSON. */
  request(method: string, path: string, body?: object, contentType?: string): Promise<unknown>;
  /** A GET whose answer is read as it comes. Throws `ApiError` when it cannot even be sent. */
  open(
    path: string,
    handlers: { answer: (response: IncomingMessage) => void; failed: (error: ApiError) => void },
  ): ClientRequest;
  close(): void;
}

const requestTimeoutMs = 60_000;
/** A list of everything a large cluster holds stays below this. */
const answerLimit = 512 * 1024 * 1024;

export function createConnection(options: ConnectionOptions): Connection {
  const {
    server,
    ca,
    cert,
    key,
    tlsServerName,
    insecureSkipTlsVerify,
    maxConnections = 8,
    name = "fairlead",
  } = options;
  const base = new URL(server);
  const prefix = base.pathname.replace(/\/$/, "");
  const host = base.hostname.replace(/^\[|\]$/g, "");
  const servername = tlsServerName ?? (isIP(host) === 0 ? host : "");
  const tls = { ca, cert, key, servername, rejectUnauthorized: insecureSkipTlsVerify !== true };
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: maxConnections, maxFreeSockets: 4 });
  // Watches stay open: they must not take the connections of short requests.
  const watchAgent = new Agent({ ...tls, keepAlive: true, maxFreeSockets: 1 });

  function start(
    method: string,
    path: string,
    headers: Record<string, string | number>,
    watch: boolean,
  ): ClientRequest {
    const token = readToken(options);
    return httpsRequest({
      agent: watch ? watchAgent : agent,
      host,
      port: base.port === "" ? 443 : Number(base.port),
      method,
      path: `${prefix}${path}`,
      headers: {
        Host: base.host,
        Accept: "application/json",
        "User-Agent": name,
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...headers,
      },
    });
  }

  function send(method: string, path: string, body: Buffer | undefined, contentType: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers: Record<string, string | number> =
        body === undefined ? {} : { "Content-Type": contentType, "Content-Length": body.length };
      const attempt = (retriesLeft: number) => {
        const request = start(method, path, headers, false);
        request.setTimeout(requestTimeoutMs, () =>
          request.destroy(new Error(`no answer within ${requestTimeoutMs} ms`)),
        );
        request.on("response", resolve);
        request.on("error", (error: NodeJS.ErrnoException) => {
          // A kept connection that the server had just closed: nothing was done, another one will do.
          if (request.reusedSocket && error.code === "ECONNRESET" && retriesLeft > 0) attempt(retriesLeft - 1);
          else reject(unreachable(server, error));
        });
        request.end(body);
      };
      attempt(2);
    });
  }

  return {
    async request(method, path, body, contentType = "application/json") {
      const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
      const response = await send(method, path, bytes, contentType);
      const text = await readText(response, server);
      const code = response.statusCode ?? 0;
      if (code < 200 || code > 299) throw errorOf(code, text);
      try {
        return JSON.parse(text) as unknown;
      } catch {
        throw new ApiError("InternalError", `${server} answered ${method} ${path} with something that is not JSON`);
      }
    },
    open(path, { answer, failed }) {
      const request = start("GET", path, {}, true);
      request.on("response", (response) => {
        const code = response.statusCode ?? 0;
        if (code === 200) return answer(response);
        readText(response, server).then(
          (text) => failed(errorOf(code, text)),
          (error: unknown) => failed(error as ApiError),
        );
      });
      request.on("error", (error) => failed(unreachable(server, error)));
      request.on("socket", (socket) => socket.setKeepAlive(true, 30_000));
      request.end();
      return request;
    },
    close() {
      agent.destroy();
      watchAgent.destroy();
    },
  };
}

function readToken({ token, tokenSource }: ConnectionOptions): string | undefined {
  try {
    return tokenSource?.() ?? token;
  } catch (error) {
    throw new ApiError("Unauthorized", `the token to sign in with cannot be read: ${(error as Error).message}`);
  }
}

function readText(response: IncomingMessage, server: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    // As text at once: bytes that wait for the rest of an answer leave holes in the process's memory.
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.length > answerLimit) response.destroy(new Error(`the answer is longer than ${answerLimit} signs`));
    });
    response.on("end", () => {
      resolve(text);
      // A kept connection remembers its last answer, which may be a page of a long list.
      text = "";
    });
    response.on("error", (error) => reject(unreachable(server, error)));
  });
}

function unreachable(server: string, error: Error): ApiError {
  return new ApiError("ServiceUnavailable", `the API server at ${server} cannot be reached: ${error.message}`);
}

const reasons: Readonly<Record<number, StatusReason>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  406: "NotAcceptable",
  409: "Conflict",
  410: "Expired",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};

/** The error a Status carries, or one made of the bare code where a proxy in between answered. */
export function errorOf(code: number, text: string): ApiError {
  try {
    const status = JSON.parse(text) as Status;
    if (status.kind === "Status") {
      return new ApiError(status.reason ?? reasons[code] ?? "Unknown", status.message ?? "", status.details, code);
    }
  } catch {
    // Not a Status: the code says it.
  }
  return new ApiError(
    reasons[code] ?? "Unknown",
    `the API server answered ${code}: ${text.slice(0, 200)}`,
    undefined,
    code,
  );
}
