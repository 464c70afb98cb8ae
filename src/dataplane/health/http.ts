import { connect as connectHttp2 } from "node:http2";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIPv6 } from "node:net";
import { wordOf } from "../exchange/ending.ts";
import type { Asked, Heard, Probe } from "./probe.ts";

/** As kubelet's HTTP probes: 200 up to 399 is well. */
const isGood = (status: number): boolean => status >= 200 && status < 400;

/** Well when a GET is answered with a good status; the body is not read. Certificates are not verified. */
export const askHttp: Probe = (asked, heard) =>
  asked.protocol === "h2" || asked.protocol === "h2s" ? askByHttp2(asked, heard) : askByHttp1(asked, heard);

function askByHttp1({ endpoint, protocol, serverName = "", check, lookup }: Asked, heard: Heard): () => void {
  const { address: host, port } = endpoint;
  const headers = { Host: check.host ?? authorityOf(endpoint), "User-Agent": "fairlead-health", Connection: "close" };
  const options = { host, port, path: check.path ?? "/", headers, agent: false, lookup } as const;
  const request =
    protocol === "https"
      ? requestHttps({ ...options, rejectUnauthorized: false, servername: serverName })
      : requestHttp(options);
  request.on("response", (response) => {
    heard(problemOf(response.statusCode ?? 0));
    response.destroy();
  });
  request.on("error", (error: NodeJS.ErrnoException) => heard(wordOf(error)));
  request.end();
  return () => request.destroy();
}

function askByHttp2({ endpoint, protocol, serverName, check, lookup }: Asked, heard: Heard): () => void {
  const scheme = protocol === "h2s" ? "https" : "http";
  const session = openHttp2({ endpoint, scheme, serverName, lookup }, heard);
  const stream = session.request({
    ":path": check.path ?? "/",
    ":authority": check.host ?? authorityOf(endpoint),
    "user-agent": "fairlead-health",
  });
  stream.on("response", (fields) => {
    heard(problemOf(Number(fields[":status"])));
    session.destroy();
  });
  stream.on("error", (error) => heard(wordOfStream(error)));
  return () => session.destroy();
}

/** A stream that ends because its connection does has the reason behind its own. */
export function wordOfStream(error: Error): string {
  return wordOf(error.cause instanceof Error ? error.cause : error);
}

/** One connection of HTTP/2 for one question; what goes wrong with it is heard. */
export function openHttp2(
  {
    endpoint,
    scheme,
    serverName = "",
    lookup,
  }: Pick<Asked, "endpoint" | "serverName" | "lookup"> & { readonly scheme: "http" | "https" },
  heard: Heard,
): ReturnType<typeof connectHttp2> {
  const tls = { rejectUnauthorized: false, servername: serverName };
  const session = connectHttp2(`${scheme}://${authorityOf(endpoint)}`, { lookup, ...(scheme === "https" ? tls : {}) });
  session.on("error", (error: NodeJS.ErrnoException) => heard(wordOf(error)));
  session.on("close", () => heard("closed by the endpoint"));
  return session;
}

function problemOf(status: number): string | undefined {
  return isGood(status) ? undefined : `answered ${status}`;
}

export function authorityOf({ address, port }: Asked["endpoint"]): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
