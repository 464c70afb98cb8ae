import { servedKinds } from "../kinds.ts";
import { reviewForms } from "../review-forms.ts";
import { compileDefinitions, definitionsRoot, type Schema } from "./openapi-definitions.ts";
import { compilePaths } from "./openapi-paths.ts";

export interface OpenApiV2 {
  readonly swagger: "2.0";
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Record<string, unknown>;
  readonly definitions: Record<string, Schema>;
}

/** The OpenAPI 2 document of all kinds in all versions: what clients before 1.29 validate and merge by. */
export function compileOpenApiV2(): OpenApiV2 {
  const messages = [...servedKinds.map(({ version }) => version.schema), ...reviewForms.map(({ schema }) => schema)];
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version: "unversioned" },
    paths: compilePaths(servedKinds, reviewForms, (parameter) => ({ ...parameter, type: "string", uniqueItems: true })),
    definitions: compileDefinitions(["meta.DeleteOptions", "meta.Status", ...messages], definitionsRoot),
  };
}
