import { once } from "node:events";
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type OutgoingHttpHeaders,
} from "node:http2";
import type { TestServer } from "./api-server.ts";

/** A connection that speaks HTTP/2 with the server, as its administrator by default. */
export async function connectHttp2(
  { certificates, url }: Pick<TestServer, "certificates" | "url">,
  proof?: object,
): Promise<ClientHttp2Session> {
  const session = connect(url, { ca: certificates.ca, ...(proof ?? certificates.admin) });
  session.on("error", () => {});
  // Before the server's settings are here, the client does not know how much it may ask at once.
  await once(session, "remoteSettings");
  return session;
}

export interface Http2Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** One request; rejects when its stream is reset. */
export async function askHttp2(
  session: ClientHttp2Session,
  path: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: OutgoingHttpHeaders; body?: string } = {},
): Promise<Http2Answer> {
  const stream = session.request({ ":path": path, ":method": method, ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const [answer] = (await once(stream, "response")) as [Record<string, unknown>];
  let text = "";
  stream.setEncoding("utf8");
  for await (const chunk of stream) text += String(chunk);
  return { code: Number(answer[constants.HTTP2_HEADER_STATUS]), headers: answer, text };
}

export interface Http2Watch {
  readonly stream: ClientHttp2Stream;
  /** Resolves once so many events have come, with their texts. */
  until(count: number): Promise<readonly string[]>;
}

/** A watch on a connection of many. */
export async function watchHttp2(session: ClientHttp2Session, path: string): Promise<Http2Watch> {
  const stream = session.request({ ":path": path });
  stream.on("error", () => {});
  await once(stream, "response");
  const lines: string[] = [];
  let rest = "";
  let wake = () => {};
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    wake();
  });
  const until = async (count: number) => {
    while (lines.length < count) await new Promise<void>((resolve) => (wake = resolve));
    return lines;
  };
  return { stream, until };
}
