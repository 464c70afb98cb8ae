import assert from "node:assert/strict";
import { test } from "node:test";
import { createElementLedger } from "#proxy/modes/ledger.ts";
import type { SetName } from "#proxy/modes/nftables/element.ts";
import { renderEntry } from "#proxy/modes/nftables/elements.ts";
import { renderElements, renderFirstLoad, splitChange } from "#proxy/modes/nftables/transaction.ts";
import { compileService } from "#routing/l4/compile.ts";
import { service, slice } from "./objects.ts";

const node = { name: "n", addresses: ["172.30.0.11"], podCidrs: ["10.244.0.0/16"], serviceCidrs: [] };

/** The change from some endpoints of a Service to others, in its two parts. */
function changeOf(before: readonly string[], after: readonly string[]) {
  const ledger = createElementLedger<SetName>();
  const claim = (addresses: readonly string[]) => {
    const [entry] = compileService(service("web"), [slice("web", [...addresses])]).ports;
    assert.ok(entry);
    ledger.claim("web", renderEntry(entry, node).elements);
    return ledger.take();
  };
  claim(before);
  return splitChange(claim(after));
}

test("endpoints that packets may still be led to go after the way to them, in a transaction of their own", () => {
  const { now, later } = changeOf(["10.244.0.1", "10.244.0.2"], ["10.244.0.1"]);
  assert.deepEqual(
    later.map(({ set, key }) => `${set} ${key.split(" . ").at(-1)}`),
    ["endpoints-lb-2 0", "endpoints-lb-2 1"],
  );
  assert.deepEqual(
    [...now.deletes, ...now.adds]
      .map(({ set, value }) => `${set} ${value}`)
      .filter((text) => text.startsWith("services")),
    ["services goto lb-2", "services goto lb-1"],
  );
  assert.ok(now.adds.some(({ set }) => set === "endpoints-lb-1"));
});

test("an endpoint that takes another's place is one transaction", () => {
  const { now, later } = changeOf(["10.244.0.1", "10.244.0.2"], ["10.244.0.1", "10.244.0.3"]);
  assert.deepEqual(later, []);
  assert.deepEqual(
    now.adds.filter(({ set }) => set === "endpoints-lb-2").map(({ value }) => value),
    ["10.244.0.3 . 8080"],
  );
});

test("a first load has everything else in place before the elements that lead there", () => {
  const elements = [1, 2, 3].flatMap((number) => {
    const [entry] = compileService(service(`s-${number}`), [slice(`s-${number}`, [`10.244.0.${number}`])]).ports;
    assert.ok(entry);
    return renderEntry(entry, node).elements;
  });
  const steps = renderFirstLoad(elements);
  const setsOf = (step: readonly (readonly string[])[]) =>
    new Set(step.flat().map((command) => /^add element ip kube-proxy (\S+) /.exec(command)?.[1]));
  assert.deepEqual(steps.map(setsOf), [new Set(["cluster-ips", "endpoints-lb-1", "hairpin"]), new Set(["services"])]);
  assert.deepEqual(steps.flat(2).sort(), renderElements("add", elements).sort());
});
