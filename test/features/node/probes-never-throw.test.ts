import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { ProbeAction } from "#api/core/pod/kind.ts";
import { check } from "#node/pods/probe/check.ts";
import { run } from "#node/run.ts";
import { parseStreamRequest } from "#node/streams/request.ts";

const container = { name: "main" };

async function ask(action: ProbeAction) {
  const exec = async (command: readonly string[]) => {
    const { code, stdout, stderr } = await run("true", command);
    return { exitCode: code, stdout, stderr, timedOut: false };
  };
  return check(action, { container, address: "127.0.0.1", exec }, 2_000);
}

const impossible: [what: string, action: ProbeAction, message: RegExp][] = [
  [
    "a header with a line break",
    { httpGet: { port: 1, httpHeaders: [{ name: "X", value: "a\r\nb" }] } },
    /Invalid character/,
  ],
  [
    "a header name with a space",
    { httpGet: { port: 1, httpHeaders: [{ name: "a b", value: "" }] } },
    /valid HTTP token/,
  ],
  ["half of a sign in the path", { httpGet: { port: 1, path: "/\ud800" } }, /malformed|unescaped/],
  ["a port beyond all ports", { tcpSocket: { port: "70000" } }, /should be >= 0 and < 65536/],
  ["a zero byte in a command", { exec: { command: ["a\0b"] } }, /without null bytes/],
];

for (const [what, action, message] of impossible) {
  test(`a probe with ${what} fails, and ends nothing`, async () => {
    const result = await ask(action);
    assert.equal(result.ok, false);
    assert.match(result.message, message);
  });
}

test("a path is asked for as a server reads it", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  assert.deepEqual(await ask({ httpGet: { port, path: "/a b/é?c=%20" } }), { ok: true, message: "200" });
  assert.deepEqual(asked, ["/a%20b/%C3%A9?c=%20"]);
  await new Promise((resolve) => server.close(resolve));
});

test("a program that cannot be given its arguments is a result, not a rejection", async () => {
  const { code, stderr } = await run("true", ["\0"]);
  assert.equal(code, 127);
  assert.match(stderr, /null bytes/);
});

test("a streaming request that is no URL is none", () => {
  for (const url of ["/containerLogs/a/b/%zz", "//", "/exec/%", "http://[", "/exec/a/b/c/d"]) {
    assert.equal(parseStreamRequest(url, 0), undefined, url);
  }
});
