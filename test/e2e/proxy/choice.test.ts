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
    await assert.rejects(asked, /node lost: proxy mode nftables: .*there-is-none.*use one of nftables, userspace/);
    await assert.rejects(
      startNodeProxies({ client, nodes: [node] }),
      /no proxy mode works here: nftables: .*; userspace: /,
    );
    await assert.rejects(startNodeProxies({ client, nodes: [here], mode: "ipvs" }), /ipvs is not built yet/);
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
