import type { Pod } from "#api/core/pod/kind.ts";
import type { Log } from "#base/log.ts";
import { followKind } from "../../registry/follow.ts";
import type { Registry } from "../../registry/registry.ts";
import type { NodeGraph } from "./graph.ts";

/** Keeps the graph in step with the pods. One that cannot be understood gives its node nothing. */
export async function followPods(registry: Registry, graph: NodeGraph, log: Log): Promise<void> {
  if (!registry.definitions.some(({ resource }) => resource.kind === "Pod")) return;
  await followKind(registry, "Pod", (key, object) => {
    try {
      graph.setPod(key, object as Pod | undefined);
    } catch (error) {
      graph.setPod(key, undefined);
      log.error({ pod: key, error: String(error) }, "what a pod names cannot be read: its node may read none of it");
    }
  });
}
