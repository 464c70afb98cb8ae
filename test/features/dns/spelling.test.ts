import assert from "node:assert/strict";
import { test } from "node:test";
import { queryFor, read, sendUdp } from "../../fakes/dns-client.ts";
import { namespace, service, slice, startHere } from "./fixture.ts";

test("the question comes back byte for byte as it was spelled, and the answer's owner is the question", async () => {
  const { dns, at } = await startHere([namespace("dev"), service("web", { clusterIP: "10.96.0.20" })]);
  for (const spelling of ["WEB.dev.SVC.cluster.local", "web.dev.svc.cluster.local", "wEb.DeV.sVc.ClUsTeR.lOcAl"]) {
    const query = queryFor(spelling, "A");
    const answer = await sendUdp(at, query);
    assert.deepEqual(answer?.subarray(12, query.length), query.subarray(12));
    const { question, answers } = read(answer);
    assert.equal(answers[0]?.name, question?.name);
  }
  await dns.stop();
});

test("addresses come in an order of chance: each is first now and then", async () => {
  const addresses = ["10.244.0.1", "10.244.0.2", "10.244.0.3"];
  const { dns, at } = await startHere([
    namespace("dev"),
    service("web", { clusterIP: "None", ports: [{ port: 80 }] }),
    slice("web", addresses),
  ]);
  const first = new Set<string>();
  for (let round = 0; round < 200 && first.size < 3; round++) {
    const { answers } = read(await sendUdp(at, queryFor("web.dev.svc.cluster.local", "A")));
    assert.equal(new Set(answers.map(({ data }) => [...data].join("."))).size, 3);
    first.add([...(answers[0]?.data ?? [])].join("."));
  }
  assert.deepEqual([...first].sort(), addresses);
  await dns.stop();
});
