import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { renderBody } from "#wire/dns/body.ts";
import { nameToText } from "#wire/dns/name.ts";
import { rcodes, typeName } from "#wire/dns/numbers.ts";
import { parseQuery, type Query } from "#wire/dns/query.ts";
import { writeResponse } from "#wire/dns/response.ts";
import type { ResourceRecord } from "#wire/dns/record.ts";
import { parseRecord } from "./dns-text.ts";

export interface UpstreamAnswer {
  rcode?: number;
  /** Texts of records, owner first. */
  answers?: readonly string[];
  authorities?: readonly string[];
  /** Sent over UDP as cut. */
  truncated?: boolean;
  /** Over UDP, a changed packet goes out before the right one. */
  spoil?(packet: Buffer): Buffer;
  authenticData?: boolean;
  /** Over UDP, the answer goes out only then. */
  after?: Promise<void>;
}

export interface FakeUpstream {
  readonly address: string;
  readonly port: number;
  /** `name TYPE transport` of all that was asked, in order, but for the questions that look for loops. */
  readonly asked: string[];
  stop(): Promise<void>;
}

const out = Buffer.alloc(70_000);

/** A DNS server of a test, on UDP and TCP: `answer` says what to send, `undefined` is silence. */
export async function startFakeUpstream(
  answer: (name: string, type: string, transport: "udp" | "tcp") => UpstreamAnswer | undefined,
): Promise<FakeUpstream> {
  const asked: string[] = [];
  let spoiled: Buffer | undefined;
  let after: Promise<void> | undefined;

  function respond(packet: Buffer, transport: "udp" | "tcp"): Buffer | undefined {
    const query = parseQuery(packet);
    if (query.kind !== "query") throw new Error(`the server sent a bad query: ${packet.toString("hex")}`);
    const [name, type] = [nameToText(query.name), typeName(query.type)];
    if (type === "HINFO") return render(packet, query, { rcode: rcodes.NXDOMAIN }, transport);
    asked.push(`${name} ${type} ${transport}`);
    const said = answer(name, type, transport);
    if (said === undefined) return undefined;
    const response = render(packet, query, said, transport);
    after = said.after;
    if (said.spoil !== undefined && transport === "udp") spoiled = said.spoil(Buffer.from(response));
    return response;
  }

  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      const response = respond(chunk.subarray(2), "tcp");
      if (response === undefined) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(response.length);
      socket.write(Buffer.concat([length, response]));
    });
  });
  const udp = createSocket("udp4");
  const port = await bindBoth(server, udp);
  udp.on("message", (packet, from) => {
    const response = respond(packet, "udp");
    if (spoiled !== undefined) udp.send(spoiled, from.port, from.address);
    spoiled = undefined;
    if (response === undefined) return;
    if (after === undefined) udp.send(response, from.port, from.address);
    else void after.then(() => udp.send(response, from.port, from.address));
  });
  return {
    address: "127.0.0.1",
    port,
    asked,
    async stop() {
      await new Promise<void>((resolve) => udp.close(() => resolve()));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** One number on both; another one where somebody else has it on the second. */
async function bindBoth(server: Server, udp: Socket): Promise<number> {
  for (;;) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    try {
      udp.bind(port, "127.0.0.1");
      await once(udp, "listening");
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      server.close();
      await once(server, "close");
    }
  }
}

function render(packet: Buffer, query: Query, said: UpstreamAnswer, transport: "udp" | "tcp"): Buffer {
  const records = (texts: readonly string[] = []): ResourceRecord[] => texts.map(parseRecord);
  const body = renderBody(query.name, { answers: records(said.answers), authorities: records(said.authorities) });
  const head = {
    rcode: said.rcode ?? rcodes.NOERROR,
    authoritative: false,
    truncated: transport === "udp" && said.truncated === true,
    authenticData: said.authenticData ?? false,
  };
  const length = writeResponse(out, packet, query, head, body, transport === "udp" ? 1232 : 65_535);
  return Buffer.from(out.subarray(0, length));
}
