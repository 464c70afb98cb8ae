import assert from "node:assert/strict";
import { Agent, request as httpsRequest } from "node:https";
import { test } from "node:test";
import fc from "fast-check";
import { systemClock } from "#base/clock.ts";
import { createIngressClassAdmission } from "#controllers/ingress-class/admission.ts";
import { createNodePortAllocator } from "#controllers/node-port/admission.ts";
import { createServiceIpAllocator } from "#controllers/service-ip/allocator.ts";
import { ask, startTestServer, type TestServer } from "../../fakes/api-server.ts";
import { watchedLog } from "../../fakes/log.ts";
import { hostileRequest, seedObjects, type HostileRequest } from "../../fakes/hostile-requests.ts";

// The short form is the same each time; `FUZZ_RUNS=8000` looks for half a minute where nobody has looked yet.
const asked = process.env["FUZZ_RUNS"];
const numRuns = Number(asked ?? 600);
const seed = asked === undefined ? 7 : Date.now();

test("any request is answered, never as a fault of the server's own, and the server goes on", async (t) => {
  const { log, faults } = watchedLog();
  const classes = createIngressClassAdmission({ listClasses: async () => (await client.list("IngressClass")).items });
  const addresses = createServiceIpAllocator({
    families: ["IPv4"],
    client: () => client,
    log,
    clock: systemClock,
  });
  const server = await startTestServer({ log, admissions: [classes, addresses, createNodePortAllocator()] });
  const client = server.localClient({ name: "test", groups: ["system:masters"] });
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: server.certificates.ca, ...server.certificates.admin });
  t.after(() => {
    agent.destroy();
    addresses.stop();
    return server.stop();
  });
  const plant = async () => {
    for (const [path, object] of seedObjects) await ask(server, path, { method: "POST", body: JSON.stringify(object) });
  };
  await client.create("ServiceCIDR", { metadata: { name: "kubernetes" }, spec: { cidrs: ["10.96.0.0/24"] } });
  await addresses.open();
  await plant();
  assert.ok(server.registry.revision() > seedObjects.length);
  const codes = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(hostileRequest, async (request) => {
      const { code, body } = await send(server, agent, request);
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (request.method === "DELETE" && code < 300) await plant();
      assert.deepEqual(faults, []);
      // Upstream's answer to a list item of a strategic patch that lacks its key.
      if (code === 500) assert.match(body, /does not contain declared merge key/);
      else assert.ok(code >= 200 && code < 500, `answered ${code}`);
    }),
    { numRuns, seed },
  );
  assert.equal(server.openStreams(), 0);
  assert.ok((codes.get(200) ?? 0) > numRuns / 20, "the requests are near enough to the truth");
  await client.create("ConfigMap", { metadata: { name: "still-alive", namespace: "default" } });
});

interface Answer {
  readonly code: number;
  readonly body: string;
}

/** A stream is ended once it begins. */
function send(server: TestServer, agent: Agent, { method, path, headers, body }: HostileRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(`${server.url}${path}`, { method, headers, agent });
    request.on("response", (response) => {
      const { statusCode = 0 } = response;
      if (response.headers["transfer-encoding"] === "chunked") {
        response.on("close", () => resolve({ code: statusCode, body: "" }));
        request.destroy();
        return;
      }
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ code: statusCode, body: text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}
