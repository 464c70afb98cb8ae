import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { rfc3339 } from "#base/clock.ts";
import type { DaemonSet } from "#api/apps/daemonset/kind.ts";
import type { Node, Taint } from "#api/core/node/kind.ts";
import type { Pod, PodSpec } from "#api/core/pod/kind.ts";
import { compilePlacements, compileRollout, groupByNode, type Plan, type World } from "#controllers/daemonset/plan.ts";
import { compilePodSpec } from "#controllers/daemonset/pod.ts";

interface Case {
  name: string;
  strategy?: { maxUnavailable?: number | string; maxSurge?: number | string };
  template?: Partial<PodSpec>;
  nodes: Record<string, { labels?: Record<string, string>; taints?: string[] }>;
  pods?: string[];
  placements?: Expected;
  rollout?: Expected;
}

interface Expected {
  create?: string[];
  remove?: string[];
}

const now = Date.UTC(2026, 0, 2);

function worldOf({ strategy, template, nodes, pods = [] }: Case): World {
  const set: DaemonSet = {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "agent", namespace: "dev", uid: "u" },
    spec: {
      selector: { matchLabels: { app: "agent" } },
      template: { metadata: { labels: { app: "agent" } }, spec: { containers: [], ...template } },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0, ...strategy } },
    },
  };
  return {
    set,
    nodes: Object.entries(nodes).map(([name, { labels = {}, taints = [] }]) => nodeOf(name, labels, taints)),
    podsByNode: groupByNode(pods.map((line, index) => podOf(set, line, index))),
    revision: "new",
    now,
  };
}

function nodeOf(name: string, labels: Record<string, string>, taints: string[]): Node {
  const parsed = taints.map((text) => {
    const [, key = "", value = "", effect = ""] = /^(.*)=(.*):(.*)$/.exec(text) ?? [];
    return { key, value, effect: effect as Taint["effect"] };
  });
  return { apiVersion: "v1", kind: "Node", metadata: { name, labels }, spec: { taints: parsed } };
}

/** The pod is named by its node and its place in the list; later ones are younger. */
function podOf(set: DaemonSet, line: string, index: number): Pod {
  const [node = "", revision = "", state = ""] = line.split(" ");
  const since = rfc3339(now - 100_000 + index * 1000);
  const ready = state.startsWith("ready");
  const phase = state === "failed" ? "Failed" : state === "succeeded" ? "Succeeded" : "Running";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${node}-${index}`,
      creationTimestamp: since,
      labels: { "controller-revision-hash": revision },
      ...(state.endsWith("going") && { deletionTimestamp: since }),
    },
    spec: state === "waiting" ? compilePodSpec(set, node) : { nodeName: node, containers: [] },
    status: { phase, conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: since }] },
  };
}

function assertPlan({ create, remove }: Plan, expected: Expected): void {
  const got = { create: [...create].sort(), remove: remove.map(({ metadata }) => metadata.name).sort() };
  assert.deepEqual(got, { create: expected.create ?? [], remove: expected.remove ?? [] });
}

for (const document of parseAllDocuments(readFileSync(join(import.meta.dirname, "plan.yaml"), "utf8"))) {
  const given = document.toJS() as Case;
  test(`pods of a DaemonSet: ${given.name}`, () => {
    const world = worldOf(given);
    if (given.placements !== undefined) assertPlan(compilePlacements(world), given.placements);
    if (given.rollout !== undefined) assertPlan(compileRollout(world), given.rollout);
  });
}

test("of two pods of one second, the one that works counts as the older", () => {
  const { set } = worldOf({ name: "", nodes: {} });
  const [unready, ready] = [podOf(set, "n1 new", 0), podOf(set, "n1 old ready", 1)];
  ready.metadata.creationTimestamp = unready.metadata.creationTimestamp;
  const names = groupByNode([unready, ready])
    .get("n1")
    ?.map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ["n1-1", "n1-0"]);
});
