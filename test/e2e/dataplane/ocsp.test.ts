import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import type { Secret } from "#api/core/secret/kind.ts";
import { createAuthority } from "../../fakes/authority.ts";
import { eventually } from "../../fakes/eventually.ts";
import { ocspFiles, serveOcsp } from "../../fakes/ocsp-responder.ts";
import { startEcho, startEntry } from "./entry.ts";

const run = promisify(execFile);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

test("a handshake carries what openssl's own responder says of the certificate", async (t) => {
  const root = await createAuthority("CN=Root");
  const port = await freePort();
  const { cert, key } = await root.sign("CN=web", { names: "web.test", ocsp: `http://127.0.0.1:${port}` });
  const files = ocspFiles(root, [cert]);
  const responder = serveOcsp(files, port);
  t.after(() => {
    responder.kill();
    files.remove();
  });
  await eventually(async () => {
    const { stdout } = await run("sh", [
      "-c",
      `curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:${port}/ || true`,
    ]);
    assert.notEqual(stdout, "000");
  });
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const secret: Secret = {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    metadata: { namespace: "dev", name: "web" },
    data: { "tls.crt": base64(`${cert}\n${root.cert}`), "tls.key": base64(key) },
  };
  const entry = await startEntry(t, [await startEcho(t)], {
    annotations: {},
    objects: [secret],
    tls: "web",
    ingress: { ocsp: true },
  });
  const ca = files.file("root.crt", root.cert);
  for (const version of ["-tls1_2", "-tls1_3"]) {
    await eventually(async () => {
      const connect = `openssl s_client -connect 127.0.0.1:${entry.ports[1]} -servername web.test -CAfile ${ca} ${version} -status`;
      const { stdout } = await run("sh", ["-c", `${connect} </dev/null 2>&1`]);
      assert.match(stdout, /OCSP Response Status: successful/);
      assert.match(stdout, /Cert Status: good/);
      assert.match(stdout, /Verify return code: 0/);
    });
  }
  // Others have none, and do without.
  const other = `openssl s_client -connect 127.0.0.1:${entry.ports[1]} -servername other.test -status </dev/null 2>&1`;
  assert.match((await run("sh", ["-c", other])).stdout, /OCSP response: no response sent/);
});
