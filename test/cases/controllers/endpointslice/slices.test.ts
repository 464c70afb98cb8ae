import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import type { EndpointSlice, SliceEndpoint, SlicePort } from "#api/discovery/endpointslice/kind.ts";
import type { ServiceSpec } from "#api/core/service/kind.ts";
import { compileEndpoints } from "#controllers/endpointslice/compile.ts";
import { compileZoneShares } from "#controllers/endpointslice/topology.ts";
import { compileSlices } from "#controllers/endpointslice/fill.ts";
import { parseNodeLine, parsePodLine } from "../pod-line.ts";

/**
 * Each document: a Service's `spec`, `pods`, `nodes`, the slices that `exist` and the writes that are expected. Slices
 * are written `web-1 IPv4 http:8080/TCP | a b`; `=` before a pod's name in `exist` gives the endpoint as it should be.
 */
interface Case {
  name: string;
  spec?: ServiceSpec;
  /** The annotation that asks for hints by the processors of zones. */
  topologyMode?: string;
  nodes?: string[];
  pods?: string[];
  exist?: string[];
  max?: number;
  expect: string[];
}

for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith(".yaml"))) {
  for (const document of parseAllDocuments(readFileSync(join(import.meta.dirname, file), "utf8"))) {
    const given = document.toJS() as Case;
    test(`slices, ${file}: ${given.name}`, () => assert.deepEqual(run(given), given.expect));
  }
}

function run({ spec, topologyMode, nodes = [], pods = [], exist = [], max = 100 }: Case): string[] {
  const known = new Map(nodes.map(parseNodeLine).map((node) => [node.metadata.name, node]));
  const service = {
    apiVersion: "v1" as const,
    kind: "Service" as const,
    metadata: {
      name: "web",
      namespace: "dev",
      ...(topologyMode !== undefined && { annotations: { "service.kubernetes.io/topology-mode": topologyMode } }),
    },
    spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
  };
  const wanted = compileEndpoints(
    service,
    pods.map(parsePodLine),
    (name) => known.get(name),
    () => compileZoneShares([...known.values()]),
  );
  const endpoints = wanted.groups.flatMap((group) => group.endpoints);
  const changes = compileSlices(
    exist.map((line) => parseSlice(line, endpoints)),
    wanted,
    max,
  );
  return [
    ...changes.create.map((content) => `create ${sliceText(content)}`),
    ...changes.update.map(({ slice, content }) => `update ${slice.metadata.name} ${sliceText(content)}`),
    ...changes.remove.map(({ metadata }) => `delete ${metadata.name}`),
    ...changes.keep.map(({ metadata }) => `keep ${metadata.name}`),
    ...[...wanted.withoutHints].map(([family, why]) => `without hints ${family}: ${why}`),
    ...wanted.withoutNode.map(({ metadata }) => `wait ${metadata.name}`),
  ].sort();
}

function parseSlice(line: string, wanted: readonly SliceEndpoint[]): EndpointSlice {
  const [head = "", tail = ""] = line.split("|");
  const [name = "", addressType = "", ...ports] = head.trim().split(/\s+/);
  const endpoints = tail
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "");
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace: "dev" },
    addressType: addressType as "IPv4",
    ports: ports.map(parsePort),
    endpoints: endpoints.map((word) => {
      const found = wanted.find(({ targetRef }) => word === `=${targetRef?.name}`);
      const old = { kind: "Pod", name: word, uid: `uid-${word}`, namespace: "dev" };
      return found ?? { addresses: [`10.0.0.${word.charCodeAt(0) - 96}`], targetRef: old };
    }),
  };
}

function parsePort(text: string): SlicePort {
  const [, name = "", port = "", protocol = ""] = /^(.*):(\d+)\/(\w+)$/.exec(text) ?? [];
  return { name, port: Number(port), protocol: protocol as "TCP" };
}

function sliceText({
  addressType,
  ports,
  endpoints,
}: Pick<EndpointSlice, "addressType"> & { ports: readonly SlicePort[]; endpoints: readonly SliceEndpoint[] }): string {
  const texts = ports.map(({ name, port, protocol, appProtocol }) => {
    return `${name}:${port}/${protocol}${appProtocol ? `(${appProtocol})` : ""}`;
  });
  return [addressType, ...texts, "|", ...endpoints.map(endpointText)].join(" ");
}

/** `a[rs]@n1/z1`: ready, serving, terminating as letters; then node, zone, host name and hints. */
function endpointText({ targetRef, conditions, nodeName, zone, hostname, hints, addresses }: SliceEndpoint): string {
  const letters = [conditions?.ready && "r", conditions?.serving && "s", conditions?.terminating && "t"];
  const zones = hints?.forZones?.map(({ name }) => name).join() ?? "";
  const nodes = hints?.forNodes?.map(({ name }) => name).join() ?? "";
  const where = `${nodeName ? `@${nodeName}` : ""}${zone ? `/${zone}` : ""}${hostname ? `#${hostname}` : ""}`;
  const family = addresses[0]?.includes(":") ? "6" : "";
  return `${targetRef?.name}${family}[${letters.filter(Boolean).join("")}]${where}${hints ? `>${zones}${nodes && `+${nodes}`}` : ""}`;
}
