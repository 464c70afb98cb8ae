import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { edgeOptions } from "#ingress/edge.ts";
import { defaultOptions, readOptions } from "#ingress/options.ts";
import { startEcho, startEntry } from "./entry.ts";

const run = promisify(execFile);

/** What the data plane is started with for these lines of an ingress-nginx ConfigMap. */
function edge(data: Record<string, string>) {
  const { options, refused } = readOptions(data);
  assert.deepEqual(refused, []);
  return edgeOptions({ ...defaultOptions, ...options });
}

test("curl is served by the PROXY protocol, before TLS as well, and only by it", async (t) => {
  const dataplane = edge({ "use-proxy-protocol": "true", "proxy-real-ip-cidr": "127.0.0.0/8" });
  const entry = await startEntry(t, [await startEcho(t)], { annotations: {}, dataplane });
  for (const path of ["/x", "https:/x"]) {
    const { status, body } = await entry.curl(path, "--haproxy-protocol", "--interface", "127.0.0.5");
    assert.equal(status, 200);
    assert.match(body, /^x-real-ip: 127\.0\.0\.5$/m);
    await assert.rejects(entry.curl(path));
  }
});

test("openssl gets the versions, ciphers and groups that the options allow", async (t) => {
  const dataplane = edge({
    "ssl-protocols": "TLSv1.2",
    "ssl-ciphers": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ssl-ecdh-curve": "P-384",
  });
  const own = "ECDHE-ECDSA-AES128-GCM-SHA256";
  const entry = await startEntry(t, [await startEcho(t)], { annotations: { "ssl-ciphers": own }, dataplane });
  const client = async (...args: string[]) => {
    const connect = `openssl s_client -connect 127.0.0.1:${entry.ports[1]} ${args.join(" ")} </dev/null 2>&1 || true`;
    return (await run("sh", ["-c", connect])).stdout;
  };
  const plain = await client("-servername", "other.test");
  assert.match(plain, /TLSv1\.2, Cipher is ECDHE-ECDSA-AES256-GCM-SHA384/);
  assert.match(plain, /Server Temp Key: ECDH, (P-384|secp384r1), 384 bits/);
  assert.match(await client("-servername", "web.test"), new RegExp(`TLSv1\\.2, Cipher is ${own}`));
  assert.match(await client("-tls1_3"), /alert|Cipher is \(NONE\)/);
});
