import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { before, describe, test } from "node:test";
import { silentLog } from "#base/log.ts";
import { createLink } from "#loadbalancer/announce/link.ts";
import { inNamespace, runCommand } from "#proxy/command.ts";
import { findProgram } from "#roles/packages.ts";
import { eventually } from "../cluster.ts";

const isReady = process.getuid?.() === 0 && ["ip", "arping", "ping"].every((name) => findProgram(name) !== undefined);
const netns = (name: string) => `/run/netns/${name}`;
const run = (...argv: string[]) => spawnSync(argv[0] ?? "", argv.slice(1), { encoding: "utf8" });
const linkOf = (name: string) =>
  createLink({
    device: "eth0",
    log: silentLog,
    run: (argv, input) => runCommand(inNamespace(netns(name), argv), input),
  });

/** Two nodes and a client on one bridge, which is the namespace of the test. */
describe("an address on the interface of a node", { skip: isReady ? false : "needs root, ip, arping and ping" }, () => {
  const macOf = (name: string) => /link\/ether (\S+)/.exec(run("ip", "-n", name, "link", "show", "eth0").stdout)?.[1];
  const isThere = (name: string, address: string) =>
    run("ip", "-n", name, "addr", "show", "dev", "eth0").stdout.includes(` ${address}/`);
  const remembered = (address: string) =>
    /lladdr (\S+)/.exec(run("ip", "neigh", "show", address, "dev", "lan").stdout)?.[1];

  before(() => {
    for (const line of [
      "link add lan type bridge",
      "addr add 172.30.0.77/24 dev lan",
      "addr add fd00::77/64 dev lan nodad",
      "link set lan up",
      ...["one", "two"].flatMap((name, index) => [
        `netns add ${name}`,
        `link add ${name} master lan up type veth peer name eth0 netns ${name}`,
        `-n ${name} link set eth0 up`,
        `-n ${name} addr add 172.30.0.1${index}/24 dev eth0`,
        `-n ${name} addr add fd00::1${index}/64 dev eth0 nodad`,
      ]),
    ]) {
      assert.equal(run("ip", ...line.split(" ")).status, 0, line);
    }
  });

  for (const [family, address] of [
    ["IPv4", "172.30.0.200"],
    ["IPv6", "fd00::200"],
  ] as const) {
    test(`${family}: neighbours that know it at one node learn that it is at another, without asking`, async () => {
      const [one, two] = [linkOf("one"), linkOf("two")];
      assert.equal(await one.hold(new Map([[address, 60]])), true);
      await eventually(() => {
        assert.equal(run("ping", "-c", "1", "-W", "1", address).status, 0);
        assert.equal(remembered(address), macOf("one"));
      }, 30_000);
      await one.release([address]);
      await two.hold(new Map([[address, 60]]));
      await two.tell([address]);
      await eventually(() => assert.equal(remembered(address), macOf("two")), 30_000);
      assert.equal(run("ping", "-c", "1", "-W", "5", address).status, 0);
      assert.deepEqual([isThere("one", address), isThere("two", address)], [false, true]);
      await two.release([address, address]);
    });

    test(`${family}: it ends by itself when nobody holds it any more, and lasts while somebody does`, async () => {
      const link = linkOf("one");
      await link.hold(new Map([[address, 1]]));
      await link.hold(new Map([[address, 600]]));
      assert.equal(isThere("one", address), true);
      await link.hold(new Map([[address, 1]]));
      await eventually(() => assert.equal(isThere("one", address), false), 30_000);
    });
  }

  test("an interface that is down or gone is told from one that is up", async () => {
    const link = linkOf("one");
    assert.equal(await link.isUp(), true);
    run("ip", "-n", "one", "link", "set", "eth0", "down");
    assert.equal(await link.isUp(), false);
    assert.equal(await link.hold(new Map([["172.30.0.201", 5]])), false);
    run("ip", "-n", "one", "link", "del", "eth0");
    assert.equal(await link.isUp(), false);
    await assert.rejects(link.hold(new Map([["172.30.0.201", 5]])), /eth0/);
  });
});
