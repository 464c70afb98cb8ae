import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { systemClock } from "#base/clock.ts";
import { renderLogs } from "#node/streams/log-reader.ts";
import { parseStreamRequest, type LogOptions } from "#node/streams/request.ts";

const line = (second: number, stream: string, tag: string, text: string) =>
  `2026-01-01T00:00:0${second}.000000001+00:00 ${stream} ${tag} ${text}\n`;

function logFile(t: TestContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-log-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "log"), content);
  return join(folder, "log");
}

const five = [1, 2, 3, 4, 5].map((n) => line(n, n === 4 ? "stderr" : "stdout", "F", `line ${n}`)).join("");

async function read(path: string, query: string): Promise<string> {
  const request = parseStreamRequest(`/containerLogs/dev/web/c?${query}`, Date.parse("2026-01-01T00:00:10Z"));
  assert.equal(request?.verb, "containerLogs");
  const source = { path, clock: systemClock, signal: new AbortController().signal, isOver: () => true };
  const options = (request as { logs: LogOptions }).logs;
  let text = "";
  for await (const chunk of renderLogs({ ...source, onOver: () => () => {} }, options)) text += String(chunk);
  return text;
}

test("all lines without their stamps", async (t) => {
  assert.equal(await read(logFile(t, five), ""), "line 1\nline 2\nline 3\nline 4\nline 5\n");
});

test("the last lines only", async (t) => {
  const path = logFile(t, five);
  assert.equal(await read(path, "tailLines=2"), "line 4\nline 5\n");
  assert.equal(await read(path, "tailLines=0"), "");
  assert.equal(await read(path, "tailLines=99"), "line 1\nline 2\nline 3\nline 4\nline 5\n");
});

test("lines of the last seconds, and from a time on", async (t) => {
  const path = logFile(t, five);
  assert.equal(await read(path, "sinceSeconds=6"), "line 4\nline 5\n");
  assert.equal(await read(path, "sinceTime=2026-01-01T00:00:05Z"), "line 5\n");
});

test("stamps in front, in the form of kubectl", async (t) => {
  assert.equal(await read(logFile(t, five), "tailLines=1&timestamps=true"), "2026-01-01T00:00:05.000000001Z line 5\n");
});

test("no more bytes than were asked for", async (t) => {
  assert.equal(await read(logFile(t, five), "limitBytes=9"), "line 1\nli");
});

test("one of the two streams", async (t) => {
  assert.equal(await read(logFile(t, five), "stream=Stderr"), "line 4\n");
});

test("pieces of one line are one line", async (t) => {
  const content = line(1, "stdout", "P", "one ") + line(2, "stdout", "F", "line") + line(3, "stdout", "F", "next");
  assert.equal(
    await read(logFile(t, content), "timestamps=1"),
    `2026-01-01T00:00:01.000000001Z one line\n2026-01-01T00:00:03.000000001Z next\n`,
  );
});

test("following shows what is written later and ends with the container", async (t) => {
  const path = logFile(t, line(1, "stdout", "F", "before"));
  let isOver = false;
  let tellOver = () => {};
  const text = renderLogs(
    {
      path,
      clock: systemClock,
      signal: new AbortController().signal,
      isOver: () => isOver,
      onOver: (callback) => {
        tellOver = callback;
        return () => {};
      },
    },
    { follow: true, previous: false, timestamps: false },
  );
  assert.equal(String((await text.next()).value), "before\n");
  appendFileSync(path, line(2, "stdout", "F", "after"));
  assert.equal(String((await text.next()).value), "after\n");
  isOver = true;
  tellOver();
  assert.equal((await text.next()).done, true);
});

test("a path of something else is no request", () => {
  for (const path of ["/", "/containerLogs/dev/web", "/exec/dev", "/exec/dev/web/c/more", "/stats/dev/web/c"]) {
    assert.equal(parseStreamRequest(path, 0), undefined, path);
  }
});

test("a terminal has no separate errors", () => {
  const request = parseStreamRequest("/exec/dev/web/c?command=sh&command=-c&input=1&output=1&error=1&tty=1", 0);
  assert.deepEqual(request, {
    verb: "exec",
    pod: { namespace: "dev", name: "web" },
    container: "c",
    command: ["sh", "-c"],
    streams: { stdin: true, stdout: true, stderr: false, tty: true },
  });
});
