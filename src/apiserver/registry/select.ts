import type { KindDefinition } from "#api/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { parseFieldSelector, parseLabelSelector, SelectorSyntaxError, type FieldTerm } from "#api/meta/selector.ts";
import { ApiError } from "#api/meta/status.ts";

/** Which objects of a kind a request is about. */
export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface Selector {
  readonly namespace: string | undefined;
  /** Set when the field selector asks for one name: then there is at most one object to look at. */
  readonly name: string | undefined;
  /** No selector is given: all objects of the scope match. */
  readonly everything: boolean;
  readonly matches: (object: KubeObject) => boolean;
}

/** Throws `BadRequest` in upstream's words for a selector that cannot be read or names an unknown field. */
export function compileSelector(definition: KindDefinition, selection: Selection): Selector {
  const { labelSelector = "", fieldSelector = "" } = selection;
  const namespace = selection.namespace === "" ? undefined : selection.namespace;
  const labels = labelSelector === "" ? undefined : parsed(() => parseLabelSelector(labelSelector));
  const terms = fieldSelector === "" ? [] : parsed(() => parseFieldSelector(fieldSelector));
  const fields = terms.map((term) => ({ ...term, read: fieldReader(definition, term) }));
  const name = terms.find(({ path, equals }) => path === "metadata.name" && equals)?.value;
  return {
    namespace,
    name,
    everything: labels === undefined && fields.length === 0,
    matches: (object) =>
      (namespace === undefined || object.metadata.namespace === namespace) &&
      (labels === undefined || labels(object.metadata.labels)) &&
      fields.every(({ equals, value, read }) => (read(object) === value) === equals),
  };
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SelectorSyntaxError) throw new ApiError("BadRequest", error.message);
    throw error;
  }
}

function fieldReader(definition: KindDefinition, { path }: FieldTerm): (object: KubeObject) => string {
  if (path === "metadata.name") return (object) => object.metadata.name;
  if (path === "metadata.namespace" && definition.resource.namespaced)
    return (object) => object.metadata.namespace ?? "";
  const { selectableFields } = definition;
  const read = Object.hasOwn(selectableFields, path) ? selectableFields[path] : undefined;
  if (read !== undefined) return read;
  if (Object.keys(selectableFields).length > 0) throw new ApiError("BadRequest", `field label not supported: ${path}`);
  const known = `only "metadata.name", "metadata.namespace"`;
  throw new ApiError("BadRequest", `"${path}" is not a known field selector: ${known}`);
}
