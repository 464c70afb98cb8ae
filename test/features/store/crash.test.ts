import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { text } from "../../conformance/store/suite.ts";

const child = new URL("crash-child.ts", import.meta.url).pathname;

test("no acknowledged write is lost when the process is killed, five times at random moments", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-store-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "state.db");
  const acknowledged = new Map<string, number>();
  for (let round = 0; round < 5; round += 1) {
    const before = acknowledged.size;
    for (const line of await writeUntilKilled(path, 20 + Math.floor(Math.random() * 400))) {
      const [key = "", revision = ""] = line.split(" ");
      assert.match(revision, /^\d+$/, line);
      acknowledged.set(key, Number(revision));
    }
    assert.ok(acknowledged.size > before, "the child wrote");
  }
  const store = await openSqliteStore(path);
  t.after(() => store.close());
  for (const [key, revision] of acknowledged) {
    const entry = await store.get(key);
    assert.equal(entry?.modRevision, revision, key);
    assert.equal(text(entry?.value), `value of ${key}`);
  }
  assert.ok((await store.revision()) >= Math.max(...acknowledged.values()));
});

/** The complete lines a child printed until it was killed, after so many of them. */
function writeUntilKilled(path: string, lines: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const writer = spawn(process.execPath, [child, path], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    writer.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.split("\n").length > lines) writer.kill("SIGKILL");
    });
    writer.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    writer.on("error", reject);
    writer.on("close", (_code, signal) => {
      if (signal === "SIGKILL") resolve(output.split("\n").slice(0, -1));
      else reject(new Error(`the child ended on its own: ${errors}`));
    });
  });
}
