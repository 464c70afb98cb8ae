import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import type { Node } from "#api/core/node/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { compilePlacement } from "#controllers/scheduler/place.ts";

/** Each document: the pod's `spec`, nodes by name with spec, labels and what runs there (owner names), and the outcome. */
interface Case {
  name: string;
  spec?: Partial<Pod["spec"]>;
  nodes: Record<
    string,
    { ready?: boolean; spec?: Node["spec"]; labels?: Record<string, string>; runs?: string[]; pods?: string }
  >;
  expect: string;
}

const documents = parseAllDocuments(readFileSync(join(import.meta.dirname, "placement.yaml"), "utf8"));
for (const document of documents) {
  const given = document.toJS() as Case;
  test(`placement: ${given.name}`, () => {
    const candidates = Object.entries(given.nodes).map(([name, { ready = true, spec, labels, runs = [], pods }]) => ({
      node: {
        apiVersion: "v1" as const,
        kind: "Node" as const,
        metadata: { name, ...(labels && { labels }) },
        ...(spec && { spec }),
        status: {
          conditions: [{ type: "Ready", status: ready ? ("True" as const) : ("False" as const) }],
          ...(pods && { allocatable: { pods } }),
        },
      },
      pods: runs.map((owner) => podOf(owner)),
    }));
    const placement = compilePlacement(podOf("web", given.spec), candidates);
    assert.equal(placement.node ?? placement.message, given.expect);
  });
}

/** `web:8080` is a pod of the owner web that holds host port 8080. */
function podOf(text: string, spec: Partial<Pod["spec"]> = {}): Pod {
  const [owner = "", hostPort] = text.split(":");
  const ports = hostPort === undefined ? [] : [{ containerPort: 80, hostPort: Number(hostPort) }];
  const ownerReferences = [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: owner, uid: owner, controller: true }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: owner, namespace: "dev", ownerReferences },
    spec: { containers: [{ name: "web", ports }], ...spec },
  };
}
