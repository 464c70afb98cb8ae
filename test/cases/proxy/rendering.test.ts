import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import type { Service } from "#api/core/service/kind.ts";
import { serviceNameLabel, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { renderEntry as renderIptables } from "#proxy/modes/iptables/render.ts";
import { renderEntry as renderIpvs } from "#proxy/modes/ipvs/render.ts";
import { renderEntry } from "#proxy/modes/nftables/elements.ts";
import type { ProxyNode } from "#proxy/mode.ts";
import { compileService } from "#routing/l4/compile.ts";
import { selectForNode } from "#routing/l4/select.ts";
import type { Choice } from "#routing/l4/table.ts";

/**
 * A case file: documents of Service, EndpointSlices and, last, the expectation for a node: which endpoints each kind of
 * traffic may reach, what elements the kernel gets of nftables, what chains and rules of iptables, what of ipvs, which problems are said. What a file does not expect is not checked.
 */
interface Expectation {
  node?: Partial<ProxyNode>;
  /** By service port id, after `internal`, `external` or `cluster`. */
  selection?: Record<string, string>;
  elements?: string[];
  /** Lines of table, chain and rule. */
  iptables?: string;
  /** Lines of place, key and value. */
  ipvs?: string;
  problems?: string[];
  skipped?: string;
}

const textOf = (choice: Choice) =>
  typeof choice === "string" ? choice : choice.endpoints.map(({ address, port }) => `${address}:${port}`).join(" ");

for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith(".yaml"))) {
  test(`proxy: ${file.replace(".yaml", "").replaceAll("-", " ")}`, () => {
    const documents = parseAllDocuments(readFileSync(`${import.meta.dirname}/${file}`, "utf8"));
    const objects = documents.map((document): unknown => document.toJS());
    const service = objects[0] as Service;
    const expected = objects.at(-1) as Expectation;
    const slices = objects.slice(1, -1).map((object) => {
      const slice = object as EndpointSlice;
      const labels = { [serviceNameLabel]: service.metadata.name, ...slice.metadata.labels };
      return { ...slice, addressType: slice.addressType ?? "IPv4", metadata: { ...slice.metadata, labels } };
    });
    const node: ProxyNode = {
      name: "node-1",
      addresses: ["172.30.0.11"],
      podCidrs: [],
      serviceCidrs: [],
      ...expected.node,
    };
    const { ports, problems, skipped } = compileService(service, slices, node.family);
    if (expected.problems)
      assert.deepEqual(
        problems.map(({ code }) => code),
        expected.problems,
      );
    assert.equal(skipped?.code, expected.skipped);
    if (expected.selection) {
      const selected = ports.flatMap((entry) => {
        const choices = selectForNode(entry, node);
        return (["internal", "external", "cluster"] as const).map((kind) => [
          `${kind} ${entry.id}`,
          textOf(choices[kind]),
        ]);
      });
      const wanted = Object.keys(expected.selection);
      assert.deepEqual(Object.fromEntries(selected.filter(([key = ""]) => wanted.includes(key))), expected.selection);
    }
    if (expected.elements) {
      const elements = ports.flatMap((entry) => renderEntry(entry, node).elements);
      const lines = elements.map(({ set, key, value }) => `${set} ${key}${value === "" ? "" : ` : ${value}`}`);
      assert.deepEqual(lines.sort(), expected.elements.toSorted());
    }
    if (expected.ipvs) {
      const elements = ports.flatMap((entry) => renderIpvs(entry, node, node.ipvs));
      const lines = elements.map(({ set, key, value }) => `${set} ${key} ${value}`.trimEnd());
      assert.deepEqual(lines, expected.ipvs.trimEnd().split("\n"));
    }
    if (expected.iptables) {
      const lines = ports
        .flatMap((entry) => renderIptables(entry, node))
        .flatMap(({ set, key, value }) =>
          set.includes(" ") ? `${set} ${key}` : value.split("\n").map((rule) => `${set} ${key} ${rule}`),
        );
      assert.deepEqual(lines, expected.iptables.trimEnd().split("\n"));
    }
  });
}
