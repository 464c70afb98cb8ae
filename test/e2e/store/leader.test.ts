import assert from "node:assert/strict";
import { test } from "node:test";
import { startEtcd, whyNoEtcd } from "../../fakes/etcd.ts";
import { eventually } from "../cluster.ts";
import { createServerProcess, makeFolder } from "../../fakes/server-process.ts";

const names = Array.from({ length: 10 }, (_, index) => `d${index}`);
/** Electing takes seconds, and machines can be slow. */
const patience = 60_000;

test(
  "of two servers on one etcd one runs the controllers; when it is killed the other takes over",
  { skip: whyNoEtcd() },
  async (t) => {
    const folder = await makeFolder();
    const etcd = await startEtcd();
    const servers = ["one", "two"].map((candidate) => {
      const place = { directory: folder.directory, store: { etcd: [etcd.url] }, candidate };
      return { candidate, process: createServerProcess(place, folder.certificates) };
    });
    t.after(async () => {
      await Promise.all(servers.map(({ process }) => process.dispose()));
      await etcd.dispose();
      folder.remove();
    });
    for (const { process } of servers) await process.start();

    /** Of those that live, any one is asked. */
    let alive = servers;
    const client = () => alive[0]?.process.client() ?? assert.fail("no server is left");
    const leaseOf = async (name: string) => (await client().get("Lease", { namespace: "kube-system", name }))?.spec;
    const lease = () => leaseOf("kube-controller-manager");
    const labels = { app: "a" };
    const container = { name: "c", image: "nginx" };
    for (const name of names) {
      await client().create("Deployment", {
        metadata: { name, namespace: "default" },
        spec: {
          replicas: 2,
          selector: { matchLabels: { ...labels, name } },
          template: { metadata: { labels: { ...labels, name } }, spec: { containers: [container] } },
        },
      });
    }

    /** Exactly one ReplicaSet each, and so many pods: what two sets of controllers would get wrong. */
    const settles = (replicas: number) =>
      eventually(async () => {
        const pods = (await client().list("Pod", { namespace: "default" })).items;
        const living = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
        assert.equal(living.length, names.length * replicas);
        const sets = (await client().list("ReplicaSet", { namespace: "default" })).items;
        assert.equal(sets.length, names.length);
      }, patience);

    await settles(2);
    // Each has its own lease, as upstream's two programs have.
    const holders = [(await lease())?.holderIdentity, (await leaseOf("kube-scheduler"))?.holderIdentity];
    for (const holder of holders)
      assert.ok(
        servers.some(({ candidate }) => candidate === holder),
        `a holder ${holder}`,
      );
    let transitions = (await lease())?.leaseTransitions ?? 0;
    for (const replicas of [3, 1]) {
      const holder = (await lease())?.holderIdentity;
      const leader = servers.find(({ candidate }) => candidate === holder);
      assert.ok(leader !== undefined, `the leader ${holder}`);
      await leader.process.kill();
      alive = servers.filter((server) => server !== leader);
      for (const name of names) {
        await client().patch("Deployment", { namespace: "default", name }, { spec: { replicas } });
      }
      await settles(replicas);
      const after = await lease();
      assert.equal(after?.holderIdentity, alive[0]?.candidate);
      await eventually(async () => {
        assert.equal((await leaseOf("kube-scheduler"))?.holderIdentity, alive[0]?.candidate);
      }, patience);
      assert.ok((after?.leaseTransitions ?? 0) > transitions);
      transitions = after?.leaseTransitions ?? 0;
      await leader.process.start();
      alive = servers;
    }
  },
);
