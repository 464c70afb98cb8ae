import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidr } from "#base/cidr.ts";
import { reservedNodePorts } from "#controllers/node-port/admission.ts";
import { reservedAddresses } from "#controllers/service-ip/pool.ts";

/** How many of the first numbers automatic picks leave to those that ask for one (KEP-3070, KEP-3668). */
const addresses: [range: string, reserved: number][] = [
  ["10.96.0.0/28", 0],
  ["10.96.0.0/27", 16],
  ["10.96.0.0/26", 16],
  ["10.96.0.0/24", 16],
  ["10.96.0.0/22", 64],
  ["10.96.0.0/20", 256],
  ["10.96.0.0/16", 256],
  ["10.96.0.0/12", 256],
  ["fd00::/108", 256],
];

for (const [range, reserved] of addresses) {
  test(`of ${range} the first ${reserved} addresses are left to static requests`, () => {
    const cidr = parseCidr(range);
    assert.ok(cidr);
    assert.equal(reservedAddresses(cidr), reserved);
  });
}

const ports: [size: number, reserved: number][] = [
  [1, 0],
  [16, 0],
  [17, 16],
  [512, 16],
  [1024, 32],
  [2768, 86],
  [4096, 128],
  [65_535, 128],
];

for (const [size, reserved] of ports) {
  test(`of ${size} node ports the first ${reserved} are left to static requests`, () => {
    assert.equal(reservedNodePorts(size), reserved);
  });
}
