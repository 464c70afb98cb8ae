import assert from "node:assert/strict";
import { test } from "node:test";
import { missingCapabilities } from "#roles/privileges.ts";

const cases: [what: string, status: string, missing: string[]][] = [
  ["a full root", "Name:\tnode\nCapEff:\t000001ffffffffff\n", []],
  ["root without CAP_SYS_RESOURCE", "CapEff:\t000001fffeffffff\n", []],
  ["root in a container", "CapEff:\t00000000a80425fb\n", ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]],
  ["a user", "CapEff:\t0000000000000000\n", ["CAP_NET_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_ADMIN"]],
  ["another system", "", []],
];

for (const [what, status, missing] of cases) {
  test(`${what} lacks ${missing.join(", ") || "nothing"}`, () => {
    assert.deepEqual(
      missingCapabilities(status).map(({ name }) => name),
      missing,
    );
  });
}
