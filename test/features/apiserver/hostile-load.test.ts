import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Agent, request as httpsRequest } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { hostileRequest, seedObjects, type HostileRequest } from "../../fakes/hostile-requests.ts";
import { createServerProcess, makeFolder } from "../../fakes/server-process.ts";

// The short form is the same each time; `FUZZ_RUNS=8000` sends a tenth of that, which nobody has sent yet.
const asked = process.env["FUZZ_RUNS"];
const numRuns = asked === undefined ? 500 : Number(asked) / 10;
const seed = asked === undefined ? 7 : Date.now();
const sideBySide = 32;
/** Generated at once; they need memory here, not there. */
const batch = 250;
/** A server at rest has some 90 MB, and each large body some of its own. */
const mostMegabytes = 700;

test(`${numRuns} requests that mean harm, ${sideBySide} at once: a server of its own goes on, and its memory has a bound`, async (t) => {
  const folder = await makeFolder();
  const place = { directory: folder.directory, store: { file: join(folder.directory, "state.db") } };
  const server = createServerProcess(place, folder.certificates);
  await server.start();
  const { ca, admin } = folder.certificates;
  const agent = new Agent({ keepAlive: true, maxSockets: sideBySide, ca, ...admin });
  t.after(async () => {
    agent.destroy();
    await server.dispose();
    folder.remove();
  });
  const pid = server.pid();
  const post = (path: string, object: object): HostileRequest => {
    const body = Buffer.from(JSON.stringify(object));
    return { method: "POST", path, headers: { "Content-Length": String(body.length) }, body };
  };
  const plant = async () => {
    for (const [path, object] of seedObjects) await send(post(path, object));
  };

  /** The code; a stream is ended once it begins. */
  function send({ method, path, headers, body }: HostileRequest): Promise<{ code: number; text: string }> {
    return new Promise((resolve, reject) => {
      const request = httpsRequest(`${server.url()}${path}`, { method, headers, agent });
      request.on("response", (response) => {
        const { statusCode: code = 0 } = response;
        if (response.headers["transfer-encoding"] === "chunked") {
          response.on("close", () => resolve({ code, text: "" }));
          request.destroy();
          return;
        }
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ code, text }));
        response.on("error", reject);
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  const codes = new Map<number, number>();
  const sizes: number[] = [];
  for (let from = 0; from < numRuns; from += batch) {
    await plant();
    const requests = fc.sample(hostileRequest, { numRuns: Math.min(batch, numRuns - from), seed: seed + from });
    const large = { metadata: { name: "large" }, data: { text: "x".repeat(2_900_000) } };
    requests.push(...Array.from({ length: sideBySide }, () => post("/api/v1/namespaces/default/configmaps", large)));
    const worker = async () => {
      for (let next = requests.pop(); next !== undefined; next = requests.pop()) {
        const { code, text } = await send(next);
        codes.set(code, (codes.get(code) ?? 0) + 1);
        // Upstream's answer to a list item of a strategic patch that lacks its key.
        if (code === 500) assert.match(text, /does not contain declared merge key/);
        else assert.ok(code >= 200 && code < 500, `${next.method} ${next.path} was answered ${code}: ${text}`);
      }
    };
    await Promise.all(Array.from({ length: sideBySide }, worker));
    sizes.push(megabytesOf(pid, "VmRSS"));
  }
  assert.equal(server.pid(), pid);
  const created = await server.client().create("ConfigMap", { metadata: { name: "alive", namespace: "default" } });
  assert.equal(created.metadata.name, "alive");
  const peak = megabytesOf(pid, "VmHWM");
  assert.ok(peak < mostMegabytes, `the server took ${peak} MB`);
  const told = [...codes].sort(([a], [b]) => a - b).map(([code, count]) => `${code}: ${count}`);
  t.diagnostic(`${told.join(", ")}; ${sizes.join(", ")} MB, at most ${peak}`);
});

function megabytesOf(pid: number, what: "VmRSS" | "VmHWM"): number {
  const [, kilobytes = "0"] =
    new RegExp(`^${what}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}
