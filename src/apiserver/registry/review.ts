import { serviceNameLabel } from "#api/discovery/endpointslice/kind.ts";
import type { KindDefinition } from "#api/kind.ts";
import { splitApiVersion, type KubeObject } from "#api/meta/object.ts";
import type { KindName, KindTypes } from "#api/types.ts";
import type { Log } from "#base/log.ts";
import { createWebhooks, type Webhooks } from "../webhooks/admission.ts";
import type { Form, ReviewRequest } from "../webhooks/request.ts";
import type { Cache } from "./cache.ts";
import { scaleOf } from "./scale.ts";
import type { WriteBase, WriteContext } from "./write.ts";

/** The webhooks of a registry, which find their Services and namespaces in it. */
export function openWebhooks(
  definitions: readonly KindDefinition[],
  cache: (kind: KindName) => Cache,
  log: Log,
): Webhooks | undefined {
  const served = new Set(definitions.map(({ resource }) => resource.kind));
  if (!served.has("ValidatingWebhookConfiguration")) return undefined;
  const all = <K extends KindName>(kind: K, namespace?: string) =>
    served.has(kind)
      ? (cache(kind)
          .items(namespace)
          .map(({ object }) => object) as unknown as KindTypes[K][])
      : [];
  const one = <K extends KindName>(kind: K, key: string) =>
    (served.has(kind) ? cache(kind).get(key)?.object : undefined) as KindTypes[K] | undefined;
  const sources = {
    configurations: () =>
      cache("ValidatingWebhookConfiguration").size() === 0 ? [] : all("ValidatingWebhookConfiguration"),
    namespaceLabels: (name: string) => one("Namespace", name)?.metadata.labels,
    service: (namespace: string, name: string) => one("Service", `${namespace}/${name}`),
    slices: (namespace: string, name: string) =>
      all("EndpointSlice", namespace).filter(({ metadata }) => metadata.labels?.[serviceNameLabel] === name),
    random: Math.random,
  };
  return createWebhooks(sources, log);
}

/** Who is to be asked before a write of this context; nobody while there is no webhook. */
export function webhooksFor({ webhooks }: WriteBase, { isOwn }: WriteContext): Webhooks | undefined {
  return webhooks?.isNeeded === true && isOwn !== true ? webhooks : undefined;
}

type Written = Pick<ReviewRequest, "operation"> & {
  readonly object?: KubeObject;
  readonly before?: KubeObject;
  readonly subresource?: string;
  /** `PatchOptions`; that of the operation by default. */
  readonly optionsKind?: string;
  readonly options?: object;
};

const optionKinds = { CREATE: "CreateOptions", UPDATE: "UpdateOptions", DELETE: "DeleteOptions", CONNECT: "" } as const;

/** A write of the registry, in stored form, as webhooks are asked about it. */
export function reviewOf(definition: KindDefinition, context: WriteContext, written: Written): ReviewRequest {
  const { operation, object, before, subresource, optionsKind = optionKinds[operation], options } = written;
  const { metadata } = (object ?? before) as KubeObject;
  const { kind, plural, apiVersion } = definition.resource;
  const forms = definition.versions.map(({ group, version }) => ({ group, version, kind, resource: plural }));
  const asked = context.version ?? splitApiVersion(apiVersion);
  const isAsked = ({ group, version }: Form) => group === asked.group && version === asked.version;
  const form = forms.find(isAsked) ?? { ...splitApiVersion(apiVersion), kind, resource: plural };
  const scaled = subresource === "scale";
  const convert = (value: KubeObject | undefined, to: Form): object | undefined => {
    if (value === undefined) return undefined;
    if (scaled) return scaleOf(value);
    const version = definition.versions.find((each) => each.group === to.group && each.version === to.version);
    return version?.fromStored?.(value) ?? value;
  };
  return {
    operation,
    form: scaled ? { ...form, kind: "Scale", kindVersion: splitApiVersion("autoscaling/v1") } : form,
    equivalents: scaled ? [] : forms.filter((each) => !isAsked(each)),
    ...(subresource === undefined ? {} : { subresource }),
    // The server has made the name, but to the client there is none yet.
    name: operation === "CREATE" && metadata.generateName ? "" : metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    object: (to) => convert(object, to),
    oldObject: (to) => convert(before, to),
    labelled: [object, before],
    user: context.user,
    dryRun: context.dryRun === true,
    options: {
      kind: optionsKind,
      apiVersion: "meta.k8s.io/v1",
      ...(context.dryRun === true ? { dryRun: ["All"] } : {}),
      ...(operation === "DELETE" ? {} : { fieldManager: context.fieldManager }),
      ...options,
    },
    warn: (text) => context.warn?.(text),
  };
}

/** A request about a part of a Pod that is an object of its own, such as a Binding, an Eviction or the options of exec. */
export function partReview(
  context: WriteContext,
  pod: { namespace?: string; name: string },
  part: {
    operation: "CREATE" | "CONNECT";
    subresource: string;
    object: KubeObject | object;
    apiVersion: string;
    kind: string;
  },
): ReviewRequest {
  const { operation, subresource, object, apiVersion, kind } = part;
  return {
    operation,
    form: { group: "", version: "v1", kind, resource: "pods", kindVersion: splitApiVersion(apiVersion) },
    equivalents: [],
    subresource,
    name: pod.name,
    ...(pod.namespace === undefined ? {} : { namespace: pod.namespace }),
    object: () => ({ kind, apiVersion, ...object }),
    oldObject: () => undefined,
    labelled: "metadata" in object ? [object] : [],
    user: context.user,
    dryRun: context.dryRun === true,
    warn: (text) => context.warn?.(text),
  };
}

export function bindingReview(context: WriteContext, pod: KubeObject): ReviewRequest {
  const { name, namespace } = pod.metadata;
  const { nodeName } = (pod as KindTypes["Pod"]).spec;
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  const object = { metadata, target: { kind: "Node", name: nodeName } };
  const part = { operation: "CREATE", subresource: "binding", object, apiVersion: "v1", kind: "Binding" } as const;
  return partReview(context, pod.metadata, part);
}
