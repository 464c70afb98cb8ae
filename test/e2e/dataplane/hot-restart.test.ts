import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { test, type TestContext } from "node:test";
import type { TableChange } from "#dataplane/table.ts";
import {
  backendOf,
  patientRoute,
  startEndpointProcess,
  startPlaneProcess,
  type PlaneProcess,
} from "./long/processes.ts";

/** Linux 5.14: connections that wait at a socket that closes move to another one of its port. */
const migrate = "/proc/sys/net/ipv4/tcp_migrate_req";

/** Turns the moving on in this network namespace; says why not. */
function whyNoMoving(): string | undefined {
  try {
    if (readFileSync(migrate, "utf8").trim() !== "1") writeFileSync(migrate, "1\n");
    return undefined;
  } catch (error) {
    return `needs root and ${migrate}: ${String((error as NodeJS.ErrnoException).code)}`;
  }
}

async function started(t: TestContext, ...options: Parameters<typeof startPlaneProcess>): Promise<PlaneProcess> {
  const plane = await startPlaneProcess(...options);
  t.after(() => plane.stop());
  return plane;
}

/** One request on a connection of its own; rejects when that is refused, reset or closed without an answer. */
async function get(port: number): Promise<string> {
  const asked = request({ host: "127.0.0.1", port, path: "/name", headers: { Host: "a" }, agent: false }).end();
  const [response] = (await once(asked, "response")) as [NodeJS.ReadableStream & { statusCode: number }];
  return `${response.statusCode} ${await textOf(response)}`;
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const part of stream) text += String(part);
  return text;
}

test(
  "one version takes over from another on the same ports, and no client is refused",
  { timeout: 200_000 },
  async (t) => {
    const problem = whyNoMoving();
    if (problem !== undefined) return t.skip(problem);
    const endpoint = await startEndpointProcess("end");
    t.after(() => endpoint.stop());
    const table: TableChange = {
      hosts: [["*", { name: "*", routes: [patientRoute("all", "b")] }]],
      backends: [backendOf("b", [endpoint])],
      certificates: [],
      revision: "1",
    };
    let current = await started(t, { table });
    const [plain = 0, tls = 0] = (await current.facts()).ports;
    const answers = new Map<string, number>();
    const load = { stop: false };
    const clients = Array.from({ length: 8 }, async () => {
      while (!load.stop) {
        const answer = await get(plain).catch((error: unknown) => String(error));
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    });
    for (let turn = 0; turn < 3; turn += 1) {
      // What began at the old version ends there.
      const upload = request({ host: "127.0.0.1", port: plain, method: "POST", path: "/echo", agent: false });
      upload.write("begun ");
      const [response] = (await once(upload, "response")) as [NodeJS.ReadableStream];
      const session = connectHttp2(`http://127.0.0.1:${plain}`);
      const stream = session.request({ ":method": "POST", ":path": "/echo" });
      stream.write("begun ");
      await once(stream, "response");
      const next = await started(t, { ports: [plain, tls], isBeside: true, table });
      const goaway = once(session, "goaway");
      const drained = current.drain();
      await goaway;
      const whole = Promise.all([response, stream].map(textOf));
      upload.end("and ended");
      stream.end("and ended");
      assert.deepEqual(await whole, ["begun and ended", "begun and ended"]);
      await drained;
      current = next;
    }
    const before = (await current.facts()).requests;
    while ((await current.facts()).requests < before + 20) await new Promise((resolve) => setTimeout(resolve, 10));
    load.stop = true;
    await Promise.all(clients);
    t.diagnostic(`answers: ${JSON.stringify([...answers])}`);
    assert.deepEqual([...answers.keys()], ["200 end"]);
  },
);
