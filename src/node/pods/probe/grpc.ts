import http2 from "node:http2";
import type { CheckResult } from "./result.ts";

const longestAnswer = 4 << 10;

/** Asks `grpc.health.v1.Health/Check` (grpc/proto health/v1) over plain HTTP/2; well when it answers SERVING. */
export function checkGrpc(host: string, port: number, service: string, timeoutMs: number): Promise<CheckResult> {
  return new Promise((resolve) => {
    const session = http2.connect(`http://${host}:${port}`);
    let done = false;
    const finish = (ok: boolean, message: string) => {
      if (done) return;
      done = true;
      clearTimeout(deadline);
      session.destroy();
      resolve({ ok, message });
    };
    const deadline = setTimeout(
      () => finish(false, `timeout: no answer of ${host}:${port} in ${timeoutMs} ms`),
      timeoutMs,
    );
    session.on("error", (error) => finish(false, `connecting to ${host}:${port}: ${error.message}`));
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
    });
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > longestAnswer) finish(false, "the gRPC health service answers with too much");
      else chunks.push(chunk);
    });
    stream.on("error", (error) => finish(false, error.message));
    stream.on("close", () => {
      const serving = isServing(Buffer.concat(chunks));
      finish(serving, serving ? "SERVING" : "the gRPC health service does not answer SERVING");
    });
    stream.end(encodeRequest(service));
  });
}

/** HealthCheckRequest { string service = 1 } in a gRPC frame: not compressed, length, message. */
function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service).subarray(0, 127);
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** HealthCheckResponse { ServingStatus status = 1 }, where SERVING is 1. */
function isServing(frame: Buffer): boolean {
  return frame.length >= 7 && frame[5] === 0x08 && frame[6] === 0x01;
}
