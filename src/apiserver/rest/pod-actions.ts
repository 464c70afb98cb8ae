import type { KubeObject, ObjectKey } from "#api/meta/object.ts";
import { ApiError } from "#api/meta/status.ts";
import type { ServedKind } from "#api/kinds.ts";
import { rfc3339 } from "#base/clock.ts";
import { readObject } from "../http/decode.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendValue } from "../http/respond.ts";
import { conflict } from "../registry/errors.ts";
import { checkKey } from "../registry/identity.ts";
import { cloneValue } from "#base/value.ts";
import { partReview } from "../registry/review.ts";
import { writeContext } from "./create.ts";
import { success } from "./delete.ts";
import { wishOf, type DeleteFields } from "./delete-options.ts";

type Pod = KubeObject & {
  spec: { nodeName?: string };
  status?: { conditions?: { type: string; status: string; lastTransitionTime?: string }[] };
};

/** POST of a Binding: puts the Pod on a node, once. */
export async function answerBinding(exchange: Exchange, served: ServedKind, key: ObjectKey): Promise<void> {
  const { registry } = exchange.parts;
  const context = writeContext(exchange);
  const binding = await readObject(exchange, { apiVersion: "v1", kind: "Binding", schema: "core.v1.Binding" });
  checkKey(binding, key);
  const { target } = binding as KubeObject & { target?: { kind?: string; name?: string } };
  const node = target?.name;
  if (!node || (target?.kind && target.kind !== "Node")) {
    throw new ApiError("BadRequest", "a Binding must name a Node as its target");
  }
  const now = rfc3339(registry.clock.now());
  const change = (before: KubeObject): KubeObject => {
    const pod = cloneValue(before) as Pod;
    if (pod.metadata.deletionTimestamp !== undefined) {
      throw conflict(
        served.definition.resource,
        key.name,
        `pod ${key.name} is being deleted, cannot be assigned to a host`,
      );
    }
    if (pod.spec.nodeName) {
      const why = `pod ${key.name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`;
      throw conflict(served.definition.resource, key.name, why);
    }
    delete pod.metadata.resourceVersion;
    pod.spec.nodeName = node;
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
    const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: now };
    pod.status = { ...pod.status, conditions: [...others, scheduled] };
    return pod;
  };
  await registry.update({ kind: "Pod", key, subresource: "binding", change }, context);
  sendValue(exchange, 201, success(undefined, 201));
}

/**
 * POST of an Eviction: a graceful delete that asks nicely. There are no PodDisruptionBudgets to ask, so it is carried out
 * with the options and preconditions it brings (upstream: `pod/storage/eviction.go`).
 */
export async function answerEviction(exchange: Exchange, key: ObjectKey): Promise<void> {
  const { registry } = exchange.parts;
  const context = writeContext(exchange);
  const eviction = await readObject(exchange, evictionExpected);
  if (eviction.metadata.name !== key.name) {
    throw new ApiError("BadRequest", "name in URL does not match name in Eviction object");
  }
  checkKey(eviction, key);
  const { deleteOptions = {} } = eviction as KubeObject & { deleteOptions?: DeleteFields };
  const { options, dryRun } = wishOf(deleteOptions, context.dryRun === true);
  const asked = { ...context, dryRun };
  const part = { operation: "CREATE", subresource: "eviction", object: eviction, ...evictionExpected } as const;
  await registry.review(partReview(asked, key, part));
  await registry.delete("Pod", key, options, asked);
  sendValue(exchange, 201, success(undefined, 201));
}

/** Older clients call it `policy/v1beta1`. */
const evictionExpected = {
  apiVersion: "policy/v1",
  kind: "Eviction",
  schema: "policy.v1.Eviction",
  alsoAs: ["policy/v1beta1"],
};
