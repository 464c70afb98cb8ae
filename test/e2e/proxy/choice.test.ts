import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { createFakeClient } from "#client/fake.ts";
import { startNodeProxies } from "#proxy/sync.ts";

const isReady = process.getuid?.() === 0 && spawnSync("nft", ["--version"]).status === 0;
const node = { name: "lost", netns: "/run/netns/there-is-none", addresses: [], podCidrs: [], serviceCidrs: [] };
const here = { name: "here", addresses: ["127.0.0.1"], podCidrs: [], serviceCidrs: ["10.96.0.0/12"] };

describe("the choice of a proxy mode", { skip: isReady ? false : "needs root and nft" }, () => {
  test("a node whose namespace is not there is refused with the reason, and nothing is left running", async () => {
    const client = createFakeClient();
    const asked = startNodeProxies({ client, nodes: [here, node], mode: "nftables" });
    await assert.rejects(
      asked,
      /node lost: proxy mode nftables: .*there-is-none.*use one of nftables, iptables, ipvs, userspace/,
    );
    await assert.rejects(
      startNodeProxies({ client, nodes: [node] }),
      /no proxy mode works here: nftables: .*; iptables: .*; userspace: /,
    );
  });

  test("ipvs is itself where the kernel has it, and iptables with a warning where not", async () => {
    const proxies = await startNodeProxies({ client: createFakeClient(), nodes: [here], mode: "ipvs" });
    await proxies.waitFor("0");
    const chosen = proxies.modes.get("here");
    if (spawnSync("ipvsadm", ["-L"]).status === 0) assert.equal(chosen?.name, "ipvs");
    else {
      assert.equal(chosen?.name, "iptables");
      assert.match(chosen.warning ?? "", /proxy mode iptables is used, not ipvs: .*(kernel|install)/);
    }
    await proxies.cleanup();
  });

  test("another mode than before takes the rules of the one before away", async () => {
    const rules = () => spawnSync("nft", ["list", "ruleset"], { encoding: "utf8" }).stdout;
    const start = async (mode: "nftables" | "iptables") => {
      const proxies = await startNodeProxies({ client: createFakeClient(), nodes: [here], mode });
      await proxies.waitFor("0");
      return proxies;
    };
    await (await start("nftables")).stop();
    assert.match(rules(), /table ip kube-proxy/);
    await (await start("iptables")).stop();
    assert.match(rules(), /KUBE-SERVICES/);
    assert.doesNotMatch(rules(), /table ip kube-proxy/);
    await (await start("nftables")).cleanup();
    assert.doesNotMatch(rules(), /KUBE-|kube-proxy/);
  });

  test("a cluster without a single Service has its proxy ready", async () => {
    const proxies = await startNodeProxies({ client: createFakeClient(), nodes: [here] });
    assert.equal(proxies.modes.get("here")?.name, "nftables");
    await proxies.waitFor("0");
    assert.equal(spawnSync("nft", ["list", "chain", "ip", "kube-proxy", "dispatch"]).status, 0);
    await proxies.cleanup();
    assert.notEqual(spawnSync("nft", ["list", "table", "ip", "kube-proxy"]).status, 0);
  });
});
