import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const program = `
  import { createRequire } from "node:module";
  await import(process.argv[1]);
  const { cache } = createRequire(import.meta.url);
  console.log(Object.keys(cache).some((path) => path.includes("node_modules/etcd3/")));
`;

function loadsEtcd(module: string): string {
  const path = join(import.meta.dirname, "../../../src", module);
  return execFileSync(process.execPath, ["--input-type=module", "-e", program, path], { encoding: "utf8" }).trim();
}

test("the client of etcd is loaded only where etcd is asked for", () => {
  assert.equal(loadsEtcd("roles/up.ts"), "false");
  assert.equal(loadsEtcd("store/drivers/etcd.ts"), "true");
});
