import assert from "node:assert/strict";
import { test } from "node:test";
import { createElementLedger, diffElements } from "#proxy/modes/ledger.ts";
import { compareRules } from "#proxy/modes/iptables/inspect.ts";
import { parseSaved } from "#proxy/modes/iptables/kernel.ts";
import { chainNames, renderLayout } from "#proxy/modes/iptables/layout.ts";
import { endpointChain, serviceChain } from "#proxy/modes/iptables/names.ts";
import { renderEntry } from "#proxy/modes/iptables/render.ts";
import type { Element, Place } from "#proxy/modes/iptables/rule.ts";
import { callLimit, renderChange } from "#proxy/modes/iptables/transaction.ts";
import { compileService } from "#routing/l4/compile.ts";
import { service, slice } from "./objects.ts";

const node = { name: "node-1", addresses: ["172.30.0.11"], podCidrs: ["10.244.0.0/16"], serviceCidrs: [] };
const rendered = (name: string, endpoints: readonly string[], clusterIP = "10.96.0.10"): Element[] =>
  compileService(service(name, { clusterIP }), [slice(name, endpoints)]).ports.flatMap((entry) =>
    renderEntry(entry, node),
  );
const changeOf = (before: readonly Element[], after: readonly Element[]) => {
  const ledger = createElementLedger<Place>();
  ledger.claim("a", before);
  ledger.take();
  ledger.claim("a", after);
  return ledger.take();
};

test("chains have the names that upstream gives them", () => {
  assert.equal(serviceChain("SVC", "default/kubernetes:https", "tcp"), "KUBE-SVC-NPX46M4PTMTKRN6Y");
  assert.equal(serviceChain("SVL", "kube-system/kube-dns:dns", "udp"), "KUBE-SVL-TCOU7JCQXEZGVUNU");
  assert.equal(serviceChain("EXT", "ns1/svc1:p80", "tcp"), "KUBE-EXT-XPGD46QRK7WJZT7O");
  assert.equal(endpointChain("ns1/svc1:p80", "tcp", "10.180.0.1:80"), "KUBE-SEP-SXIVWICOYRO3J4NJ");
});

test("a replaced endpoint costs two chains and the deletion of a third, in one call and one table", () => {
  const [text = "", ...more] = renderChange(
    changeOf(rendered("web", ["10.244.0.1", "10.244.0.2"]), rendered("web", ["10.244.0.1", "10.244.0.3"])),
  );
  assert.deepEqual(more, []);
  const lines = text.split("\n");
  assert.equal(lines[0], "*nat");
  assert.equal(lines.at(-1), "COMMIT");
  assert.equal(lines.filter((line) => line.startsWith(":")).length, 3);
  assert.match(lines.at(-2) ?? "", /^-X KUBE-SEP-/);
  assert.doesNotMatch(text, /KUBE-SERVICES/);
});

test("what refuses is there before the translation goes, and goes after the new one has come", () => {
  const some = rendered("web", ["10.244.0.1"]);
  const none = rendered("web", []);
  const tables = (text = "") => text.match(/^(\*\w+|-[ID] \S+)/gm)?.join(" ");
  assert.equal(tables(renderChange(changeOf(some, none))[0]), "*filter -I KUBE-SERVICES *nat -D KUBE-SERVICES");
  assert.equal(tables(renderChange(changeOf(none, some))[0]), "*nat -I KUBE-SERVICES *filter -D KUBE-SERVICES");
});

test("no call carries more than five hundred service ports, and no chain is led to before it is there", () => {
  const many = Array.from({ length: 1500 }, (_, index) =>
    rendered(`s-${index}`, ["10.244.0.1", "10.244.0.2"], `10.97.${index >> 8}.${index & 255}`),
  ).flat();
  const calls = renderChange({ deletes: [], adds: [...renderLayout(node), ...many] });
  const known = new Set(["INPUT", "OUTPUT", "FORWARD", "PREROUTING", "POSTROUTING", "MARK", "DNAT", "MASQUERADE"]);
  for (const call of calls) {
    assert.ok((call.match(/^:/gm)?.length ?? 0) <= callLimit);
    assert.ok((call.match(/^-I KUBE-SERVICES/gm)?.length ?? 0) <= callLimit);
    for (const [, chain = ""] of call.matchAll(/^:(\S+)/gm)) known.add(chain);
    for (const [, target = ""] of call.matchAll(/ -j (KUBE-\S+)$/gm)) assert.ok(known.has(target), target);
  }
  const backwards = renderChange({ deletes: many, adds: [] }).join("\n");
  assert.ok(backwards.lastIndexOf("-X KUBE-SVC-") < backwards.indexOf("-X KUBE-SEP-"));
});

test("what stands in the kernel is found again by its text, and what is not wanted goes", () => {
  const wanted = [...renderLayout(node), ...rendered("web", ["10.244.0.1"])];
  const text = [
    "*nat",
    ":PREROUTING ACCEPT [0:0]",
    ":KUBE-SERVICES - [0:0]",
    ":KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]",
    ":THEIRS - [0:0]",
    "-A PREROUTING -j THEIRS",
    "-A PREROUTING -m comment --comment old -j KUBE-SERVICES",
    ...wanted.filter(({ set }) => set === "nat KUBE-SERVICES").map(({ key }) => `-A KUBE-SERVICES ${key}`),
    "-A KUBE-SVC-AAAAAAAAAAAAAAAA -j RETURN",
    "-A THEIRS -j ACCEPT",
    "COMMIT",
  ].join("\n");
  const { adds, deletes } = diffElements(parseSaved(text, chainNames), wanted);
  assert.deepEqual(
    deletes.map(({ set, key }) => `${set}: ${key}`),
    ["nat PREROUTING: -m comment --comment old -j KUBE-SERVICES", "nat: KUBE-SVC-AAAAAAAAAAAAAAAA"],
  );
  assert.equal(adds.length, wanted.length - 3);
  assert.deepEqual(diffElements(wanted, wanted), { deletes: [], adds: [] });
});

test("one rule too few, another or one too many is named, with the Service it is of", () => {
  const wanted = rendered("web", ["10.244.0.1"]);
  const [chain, ...others] = wanted as [Element, ...Element[]];
  const ledger = createElementLedger<Place>();
  ledger.claim("2026-01-01T00:00:00Z default/web:/TCP", wanted);
  ledger.takeAll();
  const named = (found: readonly Element[]) => compareRules(found, wanted, ledger).map(({ text }) => text);
  assert.deepEqual(named(wanted), []);
  assert.deepEqual(named(others), [`chain ${chain.key} in table nat is gone (Service default/web)`]);
  assert.deepEqual(named([{ ...chain, value: "-j RETURN" }, ...others]), [
    `chain ${chain.key} in table nat was changed (Service default/web)`,
  ]);
  assert.deepEqual(named([...wanted, { set: "nat KUBE-SERVICES", key: "-j RETURN", value: "" }]), [
    'rule "-j RETURN" of chain KUBE-SERVICES in table nat is not of the service proxy',
  ]);
});

test("with several pod ranges only what comes from none of them is masqueraded", () => {
  const several = { ...node, podCidrs: ["10.244.1.0/24", "10.244.2.0/24"] };
  const [entry] = compileService(service("web"), [slice("web", ["10.244.1.9"])]).ports;
  assert.ok(entry);
  const rules = renderEntry(entry, several).find(({ key }) => key.startsWith("KUBE-SVC-"))?.value ?? "";
  assert.match(rules, /^-d 10\.96\.0\.10\/32 .* -j KUBE-MARK-MASQ-OUTSIDE\n/);
  const chain = renderLayout(several).find(({ key }) => key === "KUBE-MARK-MASQ-OUTSIDE");
  assert.equal(chain?.value, "-s 10.244.1.0/24 -j RETURN\n-s 10.244.2.0/24 -j RETURN\n-j KUBE-MARK-MASQ");
});
