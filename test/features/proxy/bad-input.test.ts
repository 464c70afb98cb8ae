import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "#base/log.ts";
import type { ProxyNode } from "#proxy/mode.ts";
import { createClaims } from "#proxy/modes/claims.ts";
import { renderEntry as renderIptables } from "#proxy/modes/iptables/render.ts";
import { renderEntry as renderIpvs } from "#proxy/modes/ipvs/render.ts";
import { createElementLedger, type LedgerElement } from "#proxy/modes/ledger.ts";
import { renderEntry as renderNftables } from "#proxy/modes/nftables/elements.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { compileTable } from "#routing/l4/compile.ts";
import { diffServices } from "#routing/l4/diff.ts";
import type { ServicePortEntry, ServiceTable } from "#routing/l4/table.ts";
import { service, slice } from "./objects.ts";

const node: ProxyNode = { name: "n", addresses: ["172.30.0.11"], podCidrs: [], serviceCidrs: [] };
const modes: Readonly<Record<string, (entry: ServicePortEntry) => readonly LedgerElement[]>> = {
  nftables: (entry) => renderNftables(entry, node).elements,
  iptables: (entry) => renderIptables(entry, node),
  ipvs: (entry) => renderIpvs(entry, node),
};

/** What each mode says of a table, and what it puts into the kernel all the same. */
function outcomes(table: ServiceTable): { mode: string; said: string[]; rules: string }[] {
  return Object.entries(modes).map(([mode, render]) => {
    const ledger = createElementLedger();
    const claims = createClaims(ledger, render, silentLog);
    claims.update(diffServices(undefined, table));
    const rules = ledger.takeAll().map(({ set, key, value }) => `${set} ${key} ${value}`);
    return {
      mode,
      said: [...table.problems, ...claims.problems()].map(({ message }) => message),
      rules: rules.join("\n"),
    };
  });
}

const good = [service("good", { clusterIP: "10.96.0.50" }), slice("good", ["10.244.0.50"])] as const;

for (const [what, endpoints, named] of [
  ["no address at all", [[]], /EndpointSlice dev\/bad-1: endpoints\[0\] has no address; correct or remove it/],
  ["a text that is none", [["10.244.0.300"]], /endpoints\[0\] has "10\.244\.0\.300", which is no IPv4 address/],
  [
    "an address of the other family",
    [["10.244.0.1"], ["fd00::1"]],
    /endpoints\[1\] has "fd00::1", which is no IPv4 address/,
  ],
] as const) {
  test(`a slice whose endpoint has ${what} is named, and everything else is served`, () => {
    const base = slice("bad", ["10.244.0.60"]);
    const bad: EndpointSlice = {
      ...base,
      endpoints: [...endpoints.map((addresses) => ({ addresses: [...addresses] })), ...base.endpoints],
    };
    const table = compileTable([good[0], service("bad", { clusterIP: "10.96.0.60" })], [good[1], bad]);
    for (const { mode, said, rules } of outcomes(table)) {
      assert.equal(said.length, 1, mode);
      assert.match(said[0] ?? "", named, mode);
      assert.match(rules, /10\.244\.0\.50/, mode);
      assert.match(rules, /10\.244\.0\.60/, mode);
    }
  });
}

test("one endpoint in two hand-made slices is one endpoint", () => {
  const twice = { ...slice("good", ["10.244.0.50"]), metadata: { ...good[1].metadata, name: "good-2" } };
  const [entry] = compileTable([good[0]], [good[1], twice]).ports.values();
  assert.equal(entry?.endpoints.length, 1);
});

test("of two Services with one node port the newer is named, and both are served at their cluster IPs", () => {
  const spec = (clusterIP: string) => ({
    type: "NodePort" as const,
    clusterIP,
    ports: [{ port: 80, nodePort: 30_080 }],
  });
  const table = compileTable(
    [service("good", spec("10.96.0.50")), service("other", spec("10.96.0.51"))],
    [good[1], slice("other", ["10.244.0.51"])],
  );
  for (const { mode, said, rules } of outcomes(table)) {
    assert.ok(
      said.some((text) => /dev\/other:.*30080.* is taken by the older dev\/good/.test(text)),
      `${mode}: ${said.join()}`,
    );
    for (const address of ["10.96.0.50", "10.96.0.51"]) assert.ok(rules.includes(address), mode);
  }
});
