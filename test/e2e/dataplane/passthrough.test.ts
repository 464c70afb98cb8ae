import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import { makePair } from "../../fakes/certificate.ts";
import { serviceOf, startEcho, startEntry } from "./entry.ts";

const run = promisify(execFile);

test("openssl and curl reach the pod's own certificate by ssl-passthrough, and ours elsewhere", async (t) => {
  const server = createServer(await makePair("pod.test"), (request, response) => response.end(`pod ${request.url}`));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const backend = { service: { name: "other", port: { number: 80 } } };
  const other = {
    apiVersion: "networking.k8s.io/v1" as const,
    kind: "Ingress" as const,
    metadata: { namespace: "dev", name: "other" },
    spec: { rules: [{ host: "other.test", http: { paths: [{ path: "/", pathType: "Prefix" as const, backend }] } }] },
  };
  const objects = [other, ...serviceOf("other", [await startEcho(t, "other")])];
  const entry = await startEntry(t, [port], { annotations: { "ssl-passthrough": "true" }, objects });
  const secure = entry.ports[1];
  assert.equal((await entry.curl("https:/x")).body, "pod /x");
  // What waits for this process must not block it: the endpoints live here.
  const shownTo = async (name: string) => {
    const client = `openssl s_client -connect 127.0.0.1:${secure} -servername ${name} </dev/null 2>/dev/null`;
    return (await run("sh", ["-c", `${client} | openssl x509 -noout -ext subjectAltName`])).stdout;
  };
  assert.match(await shownTo("web.test"), /DNS:pod\.test/);
  assert.match(await shownTo("other.test"), /DNS:ingress\.fairlead\.local/);
  const args = ["-sk", "--resolve", `other.test:${secure}:127.0.0.1`, `https://other.test:${secure}/y`];

  const { stdout } = await run("curl", args);
  assert.match(stdout, /^other GET \/y\n/);
});
