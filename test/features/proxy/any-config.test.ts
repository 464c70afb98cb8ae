import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hasErrors } from "#api/config/problem.ts";
import { readProxyConfig } from "#proxy/config/read.ts";
import { settingsOf } from "#proxy/config/settings.ts";

const keys =
  "apiVersion kind mode iptables nftables syncPeriod minSyncPeriod clusterCIDR logging conntrack nodePortAddresses";
const part = fc.oneof(
  fc.constantFrom(
    ...keys.split(" ").map((key) => `${key}: `),
    "\n",
    "  ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "1s",
    "40s",
    "10.0.0.0/8",
    "&a ",
    "*a",
    "!!binary ",
    "<<: ",
    "null",
    '""',
    "kubeproxy.config.k8s.io/v1alpha1",
    "KubeProxyConfiguration",
  ),
  fc.string({ maxLength: 8 }),
);

test("any text is read or refused with its lines, and what is read can be run with", () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
      const text = parts.join("");
      const { config, problems } = readProxyConfig(text, "c");
      const lines = text.split("\n").length;
      for (const { line } of problems) assert.ok(line >= 1 && line <= lines + 1);
      if (hasErrors(problems)) return;
      const { minSyncMs, syncMs } = settingsOf(config, "auto");
      assert.ok(minSyncMs >= 1 && syncMs >= minSyncMs);
    }),
  );
});

test("a text that is nested without end, or repeats itself without end, is refused", () => {
  const head = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";
  const bomb = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(
    (n) =>
      `a${n}: &a${n} [${Array(9)
        .fill(`*a${n - 1}`)
        .join()}]`,
  );
  for (const text of [
    `${head}logging: ${"[".repeat(60_000)}`,
    `${head}featureGates:\n  a0: &a0 x\n  ${bomb.join("\n  ")}\nmod: 1`,
  ]) {
    assert.ok(hasErrors(readProxyConfig(text, "c").problems));
  }
});
