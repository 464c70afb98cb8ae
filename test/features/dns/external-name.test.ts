import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#api/meta/object.ts";
import { nameToText } from "#wire/dns/name.ts";
import { rcodes } from "#wire/dns/numbers.ts";
import { queryFor, read, sendUdp } from "../../fakes/dns-client.ts";
import { namespace, service, slice, startHere, zone } from "./fixture.ts";

function alias(name: string, externalName: string): KubeObject {
  return service(name, { type: "ExternalName", externalName });
}

const chain = (length: number): KubeObject[] =>
  Array.from({ length }, (_, index) =>
    alias(
      `c${length}-${index}`,
      index + 1 === length ? `web.dev.svc.${zone}` : `c${length}-${index + 1}.dev.svc.${zone}`,
    ),
  );

const objects = [
  namespace("dev"),
  service("web", { clusterIP: "10.96.0.20" }),
  service("db", { clusterIP: "None" }),
  slice("db", ["10.244.0.9"]),
  alias("to-web", `WEB.dev.svc.${zone}.`),
  alias("to-pod", `10-244-0-9.dev.pod.${zone}`),
  alias("to-endpoint", `10-244-0-9.db.dev.svc.${zone}`),
  alias("to-other-zone", "web.dev.svc.other.test"),
  alias("to-missing", `nope.dev.svc.${zone}`),
  alias("to-hidden-pod", `10-244-0-9.nope.pod.${zone}`),
  alias("self", `self.dev.svc.${zone}`),
  alias("ping", `pong.dev.svc.${zone}`),
  alias("pong", `ping.dev.svc.${zone}`),
  ...chain(10),
  ...chain(11),
];

test("an ExternalName that points into the cluster is followed to Services, endpoints, pods and further zones", async () => {
  const { dns, at } = await startHere(objects, { settings: { zones: ["other.test"] } });
  const ask = async (name: string, type = "A") => read(await sendUdp(at, queryFor(`${name}.dev.svc.${zone}`, type)));
  for (const [name, last] of [
    ["to-web", 20],
    ["to-pod", 9],
    ["to-endpoint", 9],
    ["to-other-zone", 20],
  ] as const) {
    const { answers, rcode } = await ask(name);
    assert.equal(rcode, rcodes.NOERROR);
    assert.deepEqual([answers.length, answers[1]?.data.at(-1)], [2, last], name);
    assert.equal(nameToText(answers[0]?.name ?? ""), `${name}.dev.svc.${zone}`);
    assert.equal((await ask(name, "AAAA")).answers.length, 0);
  }
  for (const name of ["to-missing", "to-hidden-pod", "self", "ping"]) {
    const { answers, rcode, authorities } = await ask(name);
    assert.deepEqual([rcode, answers.length, authorities.length], [rcodes.NOERROR, 0, 1], name);
    assert.equal((await ask(name, "CNAME")).answers.length, 1);
  }
  await dns.configure({ pods: "disabled" });
  assert.equal((await ask("to-pod")).answers.length, 0);
  await dns.stop();
});

test("a chain of ten is followed to its end, and a longer one not at all", async () => {
  const { dns, at } = await startHere(objects);
  const count = async (name: string) =>
    read(await sendUdp(at, queryFor(`${name}.dev.svc.${zone}`, "A", { size: 1232 }))).answers.length;
  assert.equal(await count("c10-0"), 11);
  assert.equal(await count("c11-0"), 0);
  assert.equal(await count("c11-1"), 11);
  await dns.stop();
});
