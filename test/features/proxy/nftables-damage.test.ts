import assert from "node:assert/strict";
import { test } from "node:test";
import { createKnownWords, summarize } from "#proxy/modes/damage.ts";
import { parseGeneration } from "#proxy/modes/generation.ts";
import { createElementLedger } from "#proxy/modes/ledger.ts";
import {
  balancerName,
  balancerOf,
  renderBalancer,
  withPrecursors,
  type Balancer,
} from "#proxy/modes/nftables/balancer.ts";
import type { SetName } from "#proxy/modes/nftables/element.ts";
import { compareTable, parseTable, structureOf } from "#proxy/modes/nftables/inspect.ts";

const listing = `table ip kube-proxy {
	map services {
		type ipv4_addr . inet_proto . inet_service : verdict
		elements = { 10.96.0.20 . tcp . 80 : goto lb-2,
			     10.96.0.21 . udp . 53 : drop }
	}

	set cluster-ips {
		typeof ip daddr
		elements = { 10.96.0.20, 10.96.0.21 }
	}

	map affinity {
		typeof ip saddr . ip daddr : meta mark
		size 10
		flags dynamic,timeout
		elements = { 10.0.0.1 . 10.96.0.20 timeout 3h expires 2h59m : 0x00010000 }
	}

	chain nat-prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		jump dispatch
	}

	chain layout-1 {
	}
}
`;

function damageOf(text: string): string[] {
  const ledger = createElementLedger<SetName>();
  ledger.claim("2026-01-01T00:00:00Z shop/web:http/TCP", [
    { set: "services", key: "10.96.0.20 . tcp . 80", value: "goto lb-2" },
    { set: "cluster-ips", key: "10.96.0.20", value: "" },
  ]);
  ledger.claim("2026-01-01T00:00:00Z shop/dns:/UDP", [
    { set: "services", key: "10.96.0.21 . udp . 53", value: "drop" },
    { set: "cluster-ips", key: "10.96.0.21", value: "" },
  ]);
  const elements = new Map<string, Map<string, string>>();
  for (const { set, key, value } of ledger.takeAll()) {
    elements.set(set, (elements.get(set) ?? new Map<string, string>()).set(key, value));
  }
  const structure = structureOf([
    "add map ip kube-proxy services { x }",
    "add set ip kube-proxy cluster-ips { x }",
    "add map ip kube-proxy affinity { x }",
    "add chain ip kube-proxy nat-prerouting { x }",
    "add chain ip kube-proxy layout-1",
    "add rule ip kube-proxy nat-prerouting jump dispatch",
  ]);
  return compareTable(parseTable(text), { ...structure, ledger, elements }).map(({ text }) => text);
}

test("a table as it was made has no damage, whatever packets wrote into the memory of affinity", () => {
  assert.deepEqual(damageOf(listing), []);
});

for (const [what, from, to, named] of [
  [
    "an element that is gone",
    "10.96.0.20 . tcp . 80 : goto lb-2,\n",
    "",
    "10.96.0.20 . tcp . 80 is gone from services (Service shop/web)",
  ],
  [
    "another value",
    ": drop",
    ": goto lb-1",
    "10.96.0.21 . udp . 53 of services is goto lb-1 and not drop (Service shop/dns)",
  ],
  ["one element more", "10.96.0.20, ", "10.96.0.20, 10.9.9.9, ", "10.9.9.9 was added to cluster-ips"],
  ["an emptied chain", "\t\tjump dispatch\n", "", "chain nat-prerouting has 0 rules and not 1"],
  [
    "a rule more",
    "\t\tjump dispatch\n",
    "\t\treturn\n\t\tjump dispatch\n",
    "chain nat-prerouting has 2 rules and not 1",
  ],
  [
    "a chain more",
    "chain layout-1 {\n\t}",
    "chain layout-1 {\n\t}\n\n\tchain b {\n\t}",
    "chain b is not of the service proxy",
  ],
  ["a chain less", "\tchain layout-1 {\n\t}\n", "", "chain layout-1 is gone"],
] as const) {
  test(`${what} is named`, () => {
    assert.ok(listing.includes(from));
    assert.deepEqual(damageOf(listing.replace(from, to)), [named]);
  });
}

test("a balancer is known by its name", () => {
  for (const by of ["address", "nodeport"] as const) {
    for (const affinitySeconds of [0, 10_800]) {
      const balancer: Balancer = { by, of: "local", count: 3, affinitySeconds, masquerade: true };
      for (const each of withPrecursors(balancer)) {
        assert.deepEqual(balancerOf(balancerName(each)), each);
        assert.deepEqual(renderBalancer(balancerOf(balancerName(each))), renderBalancer(each));
      }
    }
  }
});

test("the kernel's generation is read from its answer, and from nothing else", () => {
  const answer = "300000000f0a000001000000060000000000000108000100000000070800020000006017";
  assert.equal(parseGeneration(Buffer.from(answer, "hex")), 7);
  assert.equal(parseGeneration(Buffer.from(answer.slice(0, 40), "hex")), undefined);
  assert.equal(parseGeneration(Buffer.from(answer.replace("0f0a", "0200"), "hex")), undefined);
});

test("of much damage the first few are told; what a program prints in words of its own is none", () => {
  const damage = ["a", "b", "c", "d", "e"].map((text) => ({ text, isStructure: false }));
  assert.equal(summarize(damage), "a; b; c; and 2 more");
  assert.equal(summarize([]), "");
  const words = createKnownWords();
  words.learn(damage.slice(0, 4));
  assert.deepEqual(
    words.without(damage).map(({ text }) => text),
    ["e"],
  );
});
