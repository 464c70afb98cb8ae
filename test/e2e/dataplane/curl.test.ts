import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import type { Limits } from "#dataplane/limits.ts";
import type { RouteEntry, TableChange } from "#dataplane/table.ts";
import { startDataplane } from "#dataplane/workers.ts";

const run = promisify(execFile);

function missing(...tools: readonly string[]): string | false {
  for (const tool of tools) {
    try {
      execFileSync("which", [tool], { stdio: "ignore" });
    } catch {
      return `${tool} is not installed`;
    }
  }
  return false;
}

const route = (filters: RouteEntry["filters"]): RouteEntry => ({
  id: "web",
  match: { type: "prefix", path: "/" },
  filters,
  target: { type: "backend", backend: "web" },
  timeouts: { connectMs: 5000, readMs: 60_000, sendMs: 60_000 },
  maxBodyBytes: 0,
});

/** An endpoint that answers a body with itself, or with a small text; and a data plane of two threads before it. */
async function start(t: TestContext, limits: Partial<Limits> = {}) {
  const dir = mkdtempSync(join(tmpdir(), "fairlead-e2e-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const endpoint = createServer((request, response) => {
    if (request.method === "PUT") request.pipe(response);
    else response.end(`${request.url} ${String(request.headers["x-forwarded-proto"])}`);
  });
  await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    endpoint.closeAllConnections();
    endpoint.close();
  });
  const plane = await startDataplane({
    listeners: [false, true].map((tls) => ({ host: "127.0.0.1", port: 0, tls })),
    workers: 2,
    log: silentLog,
    clock: systemClock,
    limits,
  });
  t.after(() => plane.stop({ drainMs: 1000 }));
  const { port } = endpoint.address() as AddressInfo;
  const base: TableChange = {
    hosts: [["web.test", { name: "web.test", routes: [route([])], certificate: "web" }]],
    backends: [
      [
        "web",
        {
          id: "web",
          protocol: "http",
          balance: "round-robin",
          endpoints: [{ address: "127.0.0.1", port }],
        },
      ],
    ],
    certificates: [],
    revision: "1",
  };
  const [plain = 0, secure = 0] = plane.addresses.map((address) => address.port);
  return { dir, plane, base, plain, secure };
}

test(
  "curl is served over HTTP and, with a verified certificate, over HTTPS, by HTTP/1.1 and by HTTP/2",
  { skip: missing("curl", "openssl") },
  async (t) => {
    const { dir, plane, base, plain, secure } = await start(t);
    const [cert, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
    const subject = ["-subj", "/CN=web.test", "-addext", "subjectAltName=DNS:web.test"];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
    await run("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", cert, "-days", "2", ...subject]);
    const entry = { id: "web", cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
    await plane.apply({ ...base, certificates: [["web", entry]], defaultCertificate: "web" });
    const curl = async (...args: string[]) =>
      (
        await run("curl", [
          "-sS",
          "--max-time",
          "20",
          "--resolve",
          `web.test:${plain}:127.0.0.1`,
          "--resolve",
          `web.test:${secure}:127.0.0.1`,
          ...args,
        ])
      ).stdout;
    assert.equal(await curl(`http://web.test:${plain}/a?b`), "/a?b http");
    assert.equal(await curl("--cacert", cert, `https://web.test:${secure}/a`), "/a https");
    assert.equal(await curl("--cacert", cert, "--tls-max", "1.2", `https://web.test:${secure}/a`), "/a https");
    await assert.rejects(curl("--cacert", cert, "--tls-max", "1.1", `https://web.test:${secure}/a`));
    const upload = join(dir, "upload");
    const bytes = randomBytes(20 << 20);
    writeFileSync(upload, bytes);
    const hash = (data: Buffer) => createHash("sha256").update(data).digest("hex");
    const [http, https] = [`http://web.test:${plain}/`, `https://web.test:${secure}/`];
    for (const [version, url, spoken] of [
      ["--http1.1", http, "1.1"],
      ["--http2-prior-knowledge", http, "2"],
      // An offer to change the protocol (h2c), which is passed over.
      ["--http2", http, "1.1"],
      ["--http1.1", https, "1.1"],
      ["--http2", https, "2"],
    ] as const) {
      const print = await curl(version, "--cacert", cert, "-o", join(dir, "small"), "-w", "%{http_version}", url);
      assert.equal(print, spoken, `${version} ${url}`);
      for (const extra of [
        [],
        ["-H", "Transfer-Encoding: chunked"],
        ["-H", "Expect: 100-continue"],
        ["--limit-rate", "40M"],
      ]) {
        const back = join(dir, "back");
        await curl(version, "--cacert", cert, "-T", upload, "-o", back, ...extra, url);
        assert.equal(hash(readFileSync(back)), hash(bytes), `${version} ${url} ${extra.join(" ")}`);
      }
    }
    await plane.apply({
      ...base,
      hosts: [
        [
          "web.test",
          {
            name: "web.test",
            routes: [route([{ type: "https-redirect", status: 308, port: secure }])],
            certificate: "web",
          },
        ],
      ],
    });
    assert.equal(await curl("--cacert", cert, "-L", `http://web.test:${plain}/moved`), "/moved https");
  },
);

/** Load that says at its end what went wrong. */
const loads = [
  { tool: "wrk", args: ["-t1", "-c32", "-d3s", "-H", "Host: web.test"], bad: /Non-2xx|Socket errors/ },
  {
    tool: "h2load",
    args: ["-D3", "-c8", "-m32", "-H", ":authority: web.test"],
    bad: /[1-9]\d* (?:failed|errored|timeout|4xx|5xx)/,
  },
];

for (const { tool, args, bad } of loads) {
  test(`${tool} sees no error while the table changes all the time`, { skip: missing(tool) }, async (t) => {
    // h2load counts what it would have asked on a connection that it is told to leave as failed.
    const { plane, base, plain } = await start(t, tool === "h2load" ? { requestsPerConnection: 1e9 } : {});
    await plane.apply(base);
    const load = run(tool, [...args, `http://127.0.0.1:${plain}/`]);
    const state = { ended: false };
    void load.finally(() => (state.ended = true));
    let changes = 0;
    while (!state.ended) {
      changes += 1;
      await plane.apply({
        ...base,
        hosts: [
          ...base.hosts,
          [`h${changes}.test`, { name: `h${changes}.test`, routes: [] }],
          [`h${changes - 1}.test`, undefined],
        ],
        revision: String(changes),
      });
    }
    const { stdout } = await load;
    assert.doesNotMatch(stdout, bad);
    assert.ok(changes > 20, `${changes} changes`);
    assert.ok(plane.counters().total.requests > 1000);
    assert.deepEqual(await plane.failures(), []);
  });
}
