import { authorityOf, openHttp2, wordOfStream } from "./http.ts";
import type { Probe } from "./probe.ts";

/** More than an answer can have. */
const mostBytes = 64;

/**
 * Well when it says that it serves (grpc.health.v1, GRPC Health Checking Protocol). `path` is the service that is asked
 * for; without it the server as a whole is.
 */
export const askGrpc: Probe = ({ endpoint, protocol, serverName, check, lookup }, heard) => {
  const scheme = protocol === "https" || protocol === "h2s" ? "https" : "http";
  const session = openHttp2({ endpoint, scheme, serverName, lookup }, heard);
  const stream = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    ":authority": check.host ?? authorityOf(endpoint),
    "content-type": "application/grpc",
    te: "trailers",
    "user-agent": "fairlead-health",
  });
  let answer = Buffer.alloc(0);
  const tell = (problem: string | undefined) => {
    heard(problem);
    session.destroy();
  };
  // An answer without a message has its status in the head.
  stream.on("response", (fields) => {
    const status = fields["grpc-status"];
    if (Number(fields[":status"]) !== 200) tell(`answered ${String(fields[":status"])}`);
    else if (status !== undefined && status !== "0") tell(`answered with gRPC status ${String(status)}`);
  });
  stream.on("data", (bytes: Buffer) => {
    answer = Buffer.concat([answer, bytes]);
    if (answer.length > mostBytes) tell("the answer is too long");
  });
  stream.on("trailers", (fields) => {
    const status = String(fields["grpc-status"] ?? "missing");
    if (status !== "0") tell(`answered with gRPC status ${status}`);
  });
  stream.on("end", () => tell(isServing(answer) ? undefined : "says that it does not serve"));
  stream.on("error", (error) => heard(wordOfStream(error)));
  stream.end(questionOf(check.path ?? ""));
  return () => session.destroy();
};

/** HealthCheckRequest { service = 1 }, behind gRPC's five bytes: not compressed, and its length. */
function questionOf(service: string): Buffer {
  const name = Buffer.from(service).subarray(0, 127);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  return Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
}

/** HealthCheckResponse { status = 1 } with SERVING (1). */
function isServing(answer: Buffer): boolean {
  return answer.subarray(5).equals(Buffer.from([0x08, 0x01]));
}
