import { apiVersionOf, servedKinds } from "../kinds.ts";
import { reviewForms } from "../review-forms.ts";
import { compileDefinitions, schemasRoot } from "./openapi-definitions.ts";
import { compilePaths } from "./openapi-paths.ts";

/** The keys of the index at `/openapi/v3`, in the order of discovery: `api/v1`, `apis/apps/v1`, … */
export function openApiV3Keys(): string[] {
  return [...new Set([...servedKinds.map(({ version }) => version), ...reviewForms].map((version) => keyOf(version)))];
}

/** The OpenAPI 3 document of one group and version, by its key in the index; `undefined` for one that is not served. */
export function compileOpenApiV3(key: string): object | undefined {
  const served = servedKinds.filter(({ version }) => keyOf(version) === key);
  const reviews = reviewForms.filter((review) => keyOf(review) === key);
  const schemas = [...served.map(({ version }) => version), ...reviews].map(({ schema }) => schema);
  if (schemas.length === 0) return undefined;
  const messages = ["meta.DeleteOptions", "meta.Status", ...schemas];
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "unversioned" },
    paths: compilePaths(served, reviews, (parameter) => ({
      ...parameter,
      schema: { type: "string", uniqueItems: true },
    })),
    components: { schemas: compileDefinitions(messages, schemasRoot) },
  };
}

function keyOf(version: { group: string; version: string }): string {
  return `${version.group === "" ? "api" : "apis"}/${apiVersionOf(version)}`;
}
