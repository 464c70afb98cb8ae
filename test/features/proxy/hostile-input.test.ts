import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Service } from "#api/core/service/kind.ts";
import { renderLayout as renderIptablesLayout } from "#proxy/modes/iptables/layout.ts";
import { renderEntry as renderIptables } from "#proxy/modes/iptables/render.ts";
import { renderChange } from "#proxy/modes/iptables/transaction.ts";
import { renderEntry as renderIpvs } from "#proxy/modes/ipvs/render.ts";
import { renderChange as renderIpvsChange } from "#proxy/modes/ipvs/transaction.ts";
import { renderEntry } from "#proxy/modes/nftables/elements.ts";
import { renderLayout } from "#proxy/modes/nftables/layout.ts";
import { renderElements } from "#proxy/modes/nftables/transaction.ts";
import { compileService } from "#routing/l4/compile.ts";
import { service, slice } from "./objects.ts";

const quoted = '" -j ACCEPT\nCOMMIT\n*filter\n-P INPUT DROP\n\\"';
const hostile = "10.0.0.1 . tcp . 1 : drop }; flush ruleset; add table ip x; #";
const text = fc.oneof(
  fc.string(),
  fc.constant(hostile),
  fc.constant(quoted),
  fc.constant("10.96.0.7"),
  fc.constant("010.1.1.1"),
);
const node = { name: "n", addresses: ["172.30.0.11"], podCidrs: [], serviceCidrs: [] };

test("no text of an object gets into a command of the kernel's tables, only addresses and numbers", () => {
  fc.assert(
    fc.property(text, text, text, text, text, (clusterIP, external, vip, range, endpoint) => {
      const spec = {
        type: "LoadBalancer" as const,
        clusterIP,
        externalIPs: [external],
        loadBalancerSourceRanges: [range, "10.1.0.0/16"],
        ports: [{ name: hostile, port: 80, nodePort: 30_080 }],
      };
      const web: Service = { ...service(hostile, spec), status: { loadBalancer: { ingress: [{ ip: vip }] } } };
      const ports = [{ name: hostile, port: 8080 }];
      const { ports: entries } = compileService(web, [slice("x", [endpoint, "10.244.0.9"], { ports })]);
      for (const entry of entries) {
        for (const command of renderElements("add", renderEntry(entry, node).elements)) {
          assert.match(command, /^add element ip kube-proxy [a-z0-9-]+ \{ [a-z0-9./: ,-]+ \}$/);
        }
      }
    }),
  );
});

/** Nothing but what the renderer itself writes; the words of a comment are between quotes that none of them ends. */
const rule =
  /^(?:[*:]\S+(?: - \[0:0\])?|COMMIT|-[AIDX] KUBE-[A-Z0-9-]+(?: (?:!|-?-?[A-Za-z0-9][A-Za-z0-9.,:/_-]*|"[A-Za-z0-9 .,:;>_/?[\]-]{0,255}"))*)$/;

test("no text of an object becomes syntax of iptables or ipvsadm, though comments name the object", () => {
  fc.assert(
    fc.property(text, text, text, text, (name, portName, range, endpoint) => {
      const spec = {
        type: "LoadBalancer" as const,
        externalIPs: ["192.0.2.1"],
        sessionAffinity: "ClientIP" as const,
        loadBalancerSourceRanges: [range, "10.1.0.0/16"],
        ports: [{ name: portName, port: 80, nodePort: 30_080 }],
      };
      const web: Service = { ...service(name, spec), status: { loadBalancer: { ingress: [{ ip: "192.0.2.2" }] } } };
      const slices = [slice("x", [endpoint, "10.244.0.9"], { ports: [{ name: portName, port: 8080 }] })];
      for (const entry of compileService(web, slices).ports) {
        for (const call of renderChange({ deletes: [], adds: renderIptables(entry, node) })) {
          for (const line of call.split("\n")) assert.match(line, rule);
        }
        for (const [, input] of renderIpvsChange({ deletes: [], adds: renderIpvs(entry, node) }, new Set()).commands) {
          assert.match(input, /^(?:[a-zA-Z0-9,.:/ -]+\n)+$/);
        }
      }
    }),
  );
});

test("a port, protocol or timeout that is none is refused, whatever its type at run time", () => {
  const [entry] = compileService(service("web"), [slice("web", ["10.244.0.9"])]).ports;
  assert.ok(entry);
  assert.doesNotThrow(() => renderEntry(entry, node));
  const wrong = { port: hostile, nodePort: 70_000, protocol: "tcp; flush ruleset", affinitySeconds: 1.5 };
  for (const [field, value] of Object.entries(wrong)) {
    for (const render of [renderEntry, renderIptables, renderIpvs]) {
      assert.throws(() => render({ ...entry, [field]: value }, node), field);
    }
  }
  const endpoints = entry.endpoints.map((endpoint) => ({ ...endpoint, port: "1 . 2" as unknown as number }));
  for (const render of [renderEntry, renderIptables, renderIpvs])
    assert.throws(() => render({ ...entry, endpoints }, node));
});

test("ranges of a node that are none are left out of the rules", () => {
  const commands = renderLayout({ podCidrs: ["10.244.0.0/16", hostile], serviceCidrs: [hostile] }).join("\n");
  assert.match(commands, /ip saddr != \{ 10\.244\.0\.0\/16 \}/);
  assert.doesNotMatch(commands, /flush ruleset/);
  const chains = renderIptablesLayout({ podCidrs: ["10.244.0.0/16", quoted, "10.245.0.0/16"] });
  assert.doesNotMatch(JSON.stringify(chains), /ACCEPT.*COMMIT/);
});
