import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { curl, curlStatus, eventually, run, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";
import { apply, echo, ingress, pod, service } from "./objects.ts";

const prefix = "nginx.ingress.kubernetes.io";

describe("Ingress", { skip: whyNoCluster() }, () => {
  let cluster: TestCluster;
  const folder = mkdtempSync(join(tmpdir(), "fairlead-ingress-"));

  before(async () => {
    cluster = await startCluster({ args: ["--http-port", "80", "--https-port", "443"] });
    const web = { ports: [{ port: 80, targetPort: "http" }] };
    const raw = { ports: [{ port: 80, targetPort: 8080 }] };
    apply(
      cluster,
      echo("one", 1),
      echo("two", 1),
      service("one", web),
      service("two", web),
      service("digest", raw),
      pod("digest", { image: "node", command: ["node", "-e", digestServer] }),
      ingress("one", "one.test", "one"),
      ingress("digest", "digest.test", "digest", { annotations: { [`${prefix}/proxy-body-size`]: "0" } }),
    );
    for (const name of ["one", "two"]) cluster.kubectl("rollout", "status", `deployment/${name}`, "--timeout=30s");
    cluster.kubectl("wait", "--for=condition=Ready", "pod/digest", "--timeout=20s");
    await eventually(() => assert.equal(status("http://digest.test/"), 200));
  });
  after(() => cluster?.purge());

  const toIngress = ["--connect-to", "::127.0.0.1:"];
  const ask = (url: string) => curlStatus(url, ...toIngress);
  const status = (url: string) => ask(url).code;
  const warnings = (name: string) => cluster.kubectl("describe", "ingress", name);

  test("the longest path, Exact, the wildcard host and the rewrite each take their own", async () => {
    apply(
      cluster,
      ingress("exact", "one.test", "two", { path: "/a/b", pathType: "Exact" }),
      ingress("wild", "*.wild.test", "two"),
      ingress("rewrite", "rewrite.test", "two", {
        path: "/old(/|$)(.*)",
        pathType: "ImplementationSpecific",
        annotations: { [`${prefix}/rewrite-target`]: "/new/$2", [`${prefix}/use-regex`]: "true" },
      }),
    );
    const expected = {
      "http://one.test/a/b": /^Hostname: two-/,
      "http://one.test/a/b/": /^Hostname: one-/,
      "http://ONE.test:80/a": /^Hostname: one-/,
      "http://x.wild.test/": /^Hostname: two-/,
      "http://x.y.wild.test/": /404 Not Found/,
      "http://rewrite.test/old/x/y": /^GET \/new\/x\/y HTTP/m,
      "http://rewrite.test/older": /404 Not Found/,
    };
    for (const [url, body] of Object.entries(expected)) await eventually(() => assert.match(ask(url).body, body, url));
  });

  test("503 while the Service is missing or has no pods, and its answer as soon as it has", async () => {
    apply(cluster, ingress("later", "later.test", "later"));
    await eventually(() => assert.equal(status("http://later.test/"), 503));
    await eventually(() => assert.match(warnings("later"), /Service default\/later does not exist/));
    apply(cluster, service("later", { ports: [{ port: 80, targetPort: "http" }] }));
    assert.equal(status("http://later.test/"), 503);
    apply(cluster, echo("later", 1));
    await eventually(() => assert.equal(status("http://later.test/"), 200));
  });

  test("an ExternalName may be a Service of another namespace, and never the machine itself", async () => {
    const alias = (name: string, externalName: string) =>
      service(name, { type: "ExternalName", externalName, selector: null, ports: [{ port: 80 }] });
    apply(
      cluster,
      alias("alias", "one.default.svc.cluster.local"),
      alias("inside", "localhost"),
      ingress("alias", "alias.test", "alias"),
      ingress("inside", "inside.test", "inside"),
    );
    await eventually(() => assert.match(ask("http://alias.test/").body, /^Hostname: one-/));
    await eventually(() => assert.equal(status("http://inside.test/"), 503));
  });

  test("a time limit answers 504, not before its time", async () => {
    const annotations = { [`${prefix}/proxy-read-timeout`]: "1" };
    apply(cluster, ingress("slow", "slow.test", "one", { annotations }));
    await eventually(() => assert.equal(status("http://slow.test/"), 200));
    const begun = performance.now();
    assert.equal(status("http://slow.test/?wait=4s"), 504);
    const took = performance.now() - begun;
    assert.ok(took >= 1000 && took < 2000, `${took} ms`);
  });

  test("a path that a regular expression takes forever for costs nobody else anything", async () => {
    const annotations = { [`${prefix}/use-regex`]: "true" };
    const form = { annotations, pathType: "ImplementationSpecific" };
    apply(
      cluster,
      ingress("forever", "forever.test", "one", { ...form, path: "/(a+)+$" }),
      ingress("long", "long.test", "one", { ...form, path: "/p.*q.*r.*s.*t.*u.*v$" }),
    );
    await eventually(() => assert.match(warnings("forever"), /PathNotARegex/));
    await eventually(() => assert.equal(status("http://long.test/pqrstuv"), 200));
    const begun = performance.now();
    for (let time = 0; time < 4; time += 1) assert.equal(status(`http://long.test/${"pqrstu".repeat(100)}`), 500);
    assert.equal(status("http://one.test/"), 200);
    assert.ok(performance.now() - begun < 3000);
  });

  test("a hundred broken Ingresses hurt nobody, and each says what is wrong", async () => {
    const faults: Record<string, string>[] = [
      { [`${prefix}/proxy-read-timeout`]: "soon;\n}" },
      { [`${prefix}/configuration-snippet`]: "return 200;" },
      { [`${prefix}/rewrite-target`]: "$$$(${;}\n" },
    ];
    const broken = Array.from({ length: 100 }, (_, index) =>
      ingress(`broken-${index}`, `broken-${index}.test`, "nothing", {
        annotations: faults[index % faults.length] ?? {},
        tls: "nothing",
      }),
    );
    apply(cluster, ...broken);
    await eventually(() => assert.match(warnings("broken-99"), /AnnotationInvalid.*proxy-read-timeout/));
    await eventually(() => assert.match(warnings("broken-97"), /AnnotationRisky.*configuration-snippet/));
    assert.equal(status("http://one.test/"), 200);
  });

  test("SNI chooses the certificate; a new one serves the next connection and disturbs none", async () => {
    for (const name of ["first", "second"]) {
      setSecret(name, `${name}.test`);
      apply(cluster, ingress(name, `${name}.test`, "one", { tls: name }));
    }
    const subject = async (host: string) => {
      const socket = await openTls(host);
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    const [first, second] = ["first", "second"].map((name) => fingerprint(name));
    await eventually(async () => assert.equal(await subject("first.test"), first));
    await eventually(async () => assert.equal(await subject("second.test"), second));
    const live = await openTls("first.test");
    assert.match(await askOver(live, "first.test"), /^HTTP\/1\.1 200 /);
    setSecret("first", "first.test");
    await eventually(async () => assert.equal(await subject("first.test"), fingerprint("first")));
    assert.notEqual(fingerprint("first"), first);
    assert.match(await askOver(live, "first.test"), /^HTTP\/1\.1 200 /);
    live.destroy();
    cluster.kubectl("delete", "secret", "second");
    await eventually(async () => assert.notEqual(await subject("second.test"), second));
    await eventually(() => assert.match(warnings("second"), /TlsSecretNotFound/));
  });

  test("big bodies go through whole, both ways", () => {
    const file = join(folder, "big");
    const bytes = randomBytes(24 << 20);
    writeFileSync(file, bytes);
    const expected = createHash("md5").update(bytes).digest("hex");
    for (const url of ["http://digest.test/", "https://digest.test/"]) {
      assert.equal(curl(url, "-k", ...toIngress, "-T", file), expected, url);
      assert.equal(curl(url, "-k", ...toIngress, "-T", file, "-H", "Transfer-Encoding: chunked"), expected, url);
    }
    const { stdout } = run("sh", ["-c", "curl -s --connect-to ::127.0.0.1: http://digest.test/50000000 | wc -c"]);
    assert.equal(Number(stdout), 50_000_000);
    assert.equal(curlStatus("http://one.test/", ...toIngress, "-T", file).code, 413);
  });

  test("an upgraded connection carries bytes both ways", async () => {
    const socket = connect(80, "127.0.0.1");
    const upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    socket.write(
      `GET /chat HTTP/1.1\r\nHost: digest.test\r\n${upgrade}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
    const [head] = (await once(socket, "data")) as [Buffer];
    assert.match(head.toString(), /^HTTP\/1\.1 101 /);
    const bytes = randomBytes(1 << 20);
    socket.write(bytes);
    const got: Buffer[] = [];
    let length = 0;
    for await (const chunk of socket) {
      got.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length >= bytes.length) break;
    }
    assert.ok(Buffer.concat(got).equals(bytes));
  });

  test("requests that two readers could read in two ways get 400 and the connection's end", async () => {
    const host = "Host: one.test\r\n";
    const chunked = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n`;
    const requests = [
      "GET / HTTP/1.1\r\n\r\n",
      `GET / HTTP/1.1\r\n${host}Host: two.test\r\n\r\n`,
      `GET http://two.test/ HTTP/1.1\r\n${host}\r\n`,
      "GET / HTTP/1.1\r\nHost : one.test\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x@one.test\r\n\r\n",
      `${chunked}Content-Length: 4\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n${host}\r\n`,
      `POST / HTTP/1.1\r\n${host}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
      `POST / HTTP/1.1\r\n${host}Content-Length: +4\r\n\r\nabcd`,
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding:\v chunked\r\n\r\n0\r\n\r\n`,
      `${chunked}\r\n0x5\r\nabcde\r\n0\r\n\r\n`,
      `${chunked}\r\n5\r\nabcdeXX0\r\n\r\n`,
      `GET / HTTP/1.1\r\n${host}A: b\r\n c\r\n\r\n`,
      `GET / HTTP/1.1\n${host.replace("\r", "")}\n`,
    ];
    for (const request of requests) {
      const socket = connect(80, "127.0.0.1");
      socket.write(request);
      const text = Buffer.concat(await socket.toArray()).toString();
      assert.match(text, /^HTTP\/1\.1 400 /, request);
      assert.equal(text.match(/HTTP\/1\.1 /g)?.length, 1, request);
    }
  });

  function setSecret(name: string, host: string): void {
    const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
    const pair = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
    const names = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`];
    assert.equal(run("openssl", [...pair, "-keyout", key, "-out", certificate, ...names]).status, 0);
    const create = ["create", "secret", "tls", name, `--cert=${certificate}`, `--key=${key}`];
    cluster.kubectlWith(cluster.kubectl(...create, "--dry-run=client", "-o", "yaml"), "apply", "-f", "-");
  }

  function fingerprint(name: string): string {
    const { stdout } = run("openssl", [
      "x509",
      "-in",
      join(folder, `${name}.crt`),
      "-noout",
      "-fingerprint",
      "-sha256",
    ]);
    return stdout.trim().replace(/^.*=/, "");
  }
});

/** Answers a request with the digest of its body or, by number, with that many bytes; sends back what follows an upgrade. */
const digestServer = `
  const { createHash } = require("node:crypto");
  require("node:http").createServer((request, response) => {
    const length = Number(request.url.slice(1));
    if (length > 0) return response.end(Buffer.alloc(length, 7));
    const hash = createHash("md5");
    request.on("data", (chunk) => hash.update(chunk)).on("end", () => response.end(hash.digest("hex")));
  }).on("upgrade", (request, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n");
    socket.on("error", () => {}).pipe(socket);
  }).listen(8080);
`;

async function openTls(servername: string): Promise<TLSSocket> {
  const socket = connectTls({ port: 443, host: "127.0.0.1", servername, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  return socket;
}

async function askOver(socket: TLSSocket, host: string): Promise<string> {
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const [answer] = (await once(socket, "data")) as [Buffer];
  return answer.toString();
}
