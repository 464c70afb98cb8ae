import assert from "node:assert/strict";
import { test } from "node:test";
import { formatCidr, parseCidr, type Cidr } from "#base/cidr.ts";
import { readPools } from "#loadbalancer/config.ts";
import { addressesOf, cidrsOf, parseRange, poolsOfFlags, type AddressRange } from "#loadbalancer/pool.ts";

const flags = poolsOfFlags([parseCidr("172.31.0.0/24") as Cidr]);
const problemsOf = (text: string) => readPools(text, flags).problems.map(({ line, text }) => `${line}: ${text}`);

test("a range is a prefix, two addresses or one", () => {
  const count = (text: string) =>
    [...addressesOf({ ...flagsPool, ranges: [parseRange(text) as AddressRange] }, 4)].length;
  assert.deepEqual(
    ["10.0.0.0/30", "10.0.0.9/32", "10.0.0.8/31", "10.0.0.1-10.0.0.9", "10.0.0.1"].map(count),
    [2, 1, 2, 9, 1],
  );
  for (const text of ["10.0.0.9-10.0.0.1", "10.0.0.1-fd00::1", "10.0.0.1-2-3", "x", "", "10.0.0.0/33"]) {
    assert.equal(parseRange(text), undefined, text);
  }
});
const flagsPool = { name: "x", autoAssign: true, avoidBuggyIPs: false };

test("the prefixes of a range hold its addresses and no others", () => {
  const prefixes = (text: string) => cidrsOf(parseRange(text) as AddressRange).map((cidr) => formatCidr(cidr));
  assert.deepEqual(prefixes("10.0.0.5-10.0.0.16"), ["10.0.0.5/32", "10.0.0.6/31", "10.0.0.8/29", "10.0.0.16/32"]);
  assert.deepEqual(prefixes("10.0.0.0/24"), ["10.0.0.0/24"]);
  assert.deepEqual(prefixes("fd00::-fd00::3"), ["fd00::/126"]);
});

test("a configuration has MetalLB's fields, and is read with its defaults", () => {
  const { pools, problems } = readPools(
    `
pools:
  - name: shop
    addresses: [10.9.0.0/24, 10.9.1.5-10.9.1.9, "fd00:9::/120"]
    autoAssign: false
    avoidBuggyIPs: true
    serviceAllocation:
      priority: 50
      namespaces: [shop]
      namespaceSelectors: [{ matchLabels: { tier: web } }]
      serviceSelectors: [{ matchExpressions: [{ key: app, operator: In, values: [a] }] }]
  - { name: plain, addresses: [10.8.0.1] }
`,
    flags,
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(
    pools.map(({ name, autoAssign, avoidBuggyIPs, allocation }) => [
      name,
      autoAssign,
      avoidBuggyIPs,
      allocation?.priority,
    ]),
    [
      ["shop", false, true, 50],
      ["plain", true, false, undefined],
    ],
  );
});

for (const [text, problem] of [
  ["pools: 3", /^1: pools must be a list/],
  ["pool: []", /^1: pool is not a key; did you mean pools/],
  ["pools:\n- name: a", /^2: pools\[0\]\.addresses is missing/],
  [
    "pools:\n- { name: a, addresses: [10.0.0.300] }",
    /^2: pools\[0\]\.addresses\[0\] must be a range such as .* not "10\.0/,
  ],
  ["pools:\n- { name: A_, addresses: [10.0.0.1] }", /^2: pools\[0\]\.name must be a name/],
  ["pools: [{ name: default, addresses: [10.0.0.1] }]", /two pools with the name default \(--load-balancer-cidr\)/],
  [
    "pools: [{ name: a, addresses: [172.31.0.9] }]",
    /172\.31\.0\.9 of pool a overlaps 172\.31\.0\.0\/24 of pool default/,
  ],
  [
    "pools: [{ name: a, addresses: [10.0.0.1], serviceAllocation: { priority: x } }]",
    /priority must be a whole number/,
  ],
  ["pools: [", /^1: /],
  [`x: ${"y".repeat(70_000)}`, /longer than 65536/],
] as const) {
  test(`${text.slice(0, 60).replaceAll("\n", " ")} is refused with line and path`, () => {
    const problems = problemsOf(text);
    assert.ok(
      problems.some((each) => problem.test(each)),
      problems.join("\n"),
    );
  });
}

test("an empty configuration has no pool", () => {
  assert.deepEqual(readPools("", flags), { pools: [], problems: [] });
  assert.deepEqual(readPools("pools: []", flags), { pools: [], problems: [] });
});
