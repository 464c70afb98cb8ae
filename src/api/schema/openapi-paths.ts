import { apiVersionOf, type ServedKind } from "../kinds.ts";
import type { ReviewForm } from "../review-forms.ts";
import { gvkOf, type GroupVersionKind } from "./openapi-definitions.ts";

export interface Operation {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly responses: Record<string, unknown>;
  readonly "x-kubernetes-action": string;
  readonly "x-kubernetes-group-version-kind": GroupVersionKind;
}

export interface Parameter {
  readonly name: string;
  readonly in: "query";
  readonly description: string;
}

export type Method = "get" | "put" | "post" | "delete" | "patch";
export type PathItem = Partial<Record<Method, Operation>>;

const dryRun = query("dryRun", "All: do everything but keep the result.");
const fieldManager = query("fieldManager", "The name under which the changed fields are held.");
const fieldValidation = query("fieldValidation", "Ignore, Warn or Strict: what unknown and duplicate fields lead to.");
const force = query("force", "Take fields that another applier holds.");

/** What clients look at before they write: that an operation takes `dryRun` and `fieldValidation`. */
const parametersOf: Readonly<Record<Method, readonly Parameter[]>> = {
  get: [],
  put: [dryRun, fieldManager, fieldValidation],
  post: [dryRun, fieldManager, fieldValidation],
  delete: [dryRun],
  patch: [dryRun, fieldManager, fieldValidation, force],
};

function query(name: string, description: string): Parameter {
  return { name, in: "query", description };
}

/** The paths of some served kinds and reviews, with their operations. `typed` completes a parameter for the version. */
export function compilePaths(
  served: readonly ServedKind[],
  reviews: readonly ReviewForm[],
  typed: (parameter: Parameter) => object,
): Record<string, unknown> {
  const paths: Record<string, unknown> = {};
  for (const [path, item] of [...served.flatMap((kind) => pathsOf(kind)), ...reviews.map((form) => reviewPath(form))]) {
    const operations = Object.entries(item).map(([method, operation]) => {
      return [method, { ...operation, parameters: operation.parameters.map((parameter) => typed(parameter)) }];
    });
    paths[path] = Object.fromEntries(operations) as unknown;
  }
  return paths;
}

function pathsOf(served: ServedKind): [string, PathItem][] {
  const { definition, version } = served;
  const { plural, namespaced } = definition.resource;
  const apiVersion = apiVersionOf(version);
  const root = version.group === "" ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
  const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const item = `${collection}/{name}`;
  const paths: [string, PathItem][] = [];
  if (namespaced) paths.push([`${root}/${plural}`, { get: operation(gvkOf(served), "get", "list") }]);
  paths.push([
    collection,
    {
      get: operation(gvkOf(served), "get", "list"),
      post: operation(gvkOf(served), "post", "post"),
      delete: operation(gvkOf(served), "delete", "deletecollection"),
    },
  ]);
  paths.push([item, itemOperations(served, "")]);
  if (definition.subresources.includes("status")) paths.push([`${item}/status`, itemOperations(served, "Status")]);
  return paths;
}

function itemOperations(served: ServedKind, suffix: string): PathItem {
  return {
    get: operation(gvkOf(served), "get", "get", suffix),
    put: operation(gvkOf(served), "put", "put", suffix),
    patch: operation(gvkOf(served), "patch", "patch", suffix),
    ...(suffix === "" ? { delete: operation(gvkOf(served), "delete", "delete") } : {}),
  };
}

function reviewPath(form: ReviewForm): [string, PathItem] {
  const { namespaced, plural } = form;
  const root = `/apis/${apiVersionOf(form)}`;
  const gvk = { group: form.group, version: form.version, kind: form.kind };
  return [
    namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`,
    { post: operation(gvk, "post", "post") },
  ];
}

function operation(gvk: GroupVersionKind, method: Method, action: string, suffix = ""): Operation {
  const group = gvk.group === "" ? "Core" : (gvk.group.split(".")[0] ?? "");
  const parts = [action, group, gvk.version, gvk.kind, suffix].filter((part) => part !== "");
  const operationId = parts
    .map((part, index) => (index === 0 ? part : part[0]?.toUpperCase() + part.slice(1)))
    .join("");
  return {
    operationId,
    parameters: parametersOf[method],
    responses: { "200": { description: "OK" } },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": gvk,
  };
}
