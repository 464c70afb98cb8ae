import type { KubeObject } from "../meta/object.ts";
import { compareFields } from "./compare.ts";
import { difference, emptySet, union, type FieldSet } from "./field-set.ts";
import { fieldsOf } from "./extract.ts";
import type { Form } from "./form.ts";
import type { ManagerIdentity } from "./managers.ts";

/** Where `kubectl apply` without `--server-side` keeps what it applied last. */
const annotation = "kubectl.kubernetes.io/last-applied-configuration";
/** The limit of all annotations of an object; upstream's `TotalAnnotationSizeLimitB`. */
const longest = 256 * 1024;

/** An object moves from client-side to server-side apply under this name alone: that of kubectl's own. */
function isKubectl({ manager }: ManagerIdentity): boolean {
  return manager === "kubectl";
}

/**
 * The fields kubectl applied client-side and that still have the value it gave them: those it may change server-side
 * without a conflict. Empty for other appliers.
 */
export function lastAppliedFields(live: KubeObject, applier: ManagerIdentity, form: Form): FieldSet {
  const text = live.metadata.annotations?.[annotation];
  if (!isKubectl(applier) || text === undefined) return emptySet;
  try {
    const last = JSON.parse(text) as unknown;
    const { added, modified, removed } = compareFields(form.shape, last, form.fromStored(live));
    return difference(fieldsOf(form.shape, last), union(union(added, modified), removed));
  } catch {
    // Anybody may write into an annotation: what is no configuration allows nothing.
    return emptySet;
  }
}

/** Keeps the annotation true where there is one, so that client-side apply goes on from what was applied last. */
export function syncLastApplied(object: KubeObject, applier: ManagerIdentity, configuration: KubeObject): KubeObject {
  const { annotations } = object.metadata;
  if (!isKubectl(applier) || annotations?.[annotation] === undefined) return object;
  const { [annotation]: _, ...others } = annotations;
  const text = `${JSON.stringify(withoutAnnotation(configuration))}\n`;
  const synced = text.length > longest ? others : { ...others, [annotation]: text };
  return { ...object, metadata: { ...object.metadata, annotations: synced } };
}

function withoutAnnotation(configuration: KubeObject): KubeObject {
  const { annotations, ...metadata } = configuration.metadata;
  if (annotations === undefined) return configuration;
  const { [annotation]: _, ...others } = annotations;
  return { ...configuration, metadata: { ...metadata, annotations: others } };
}
