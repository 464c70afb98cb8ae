import type { KindDefinition } from "../kind.ts";
import { apiVersionOf } from "../kinds.ts";
import type { KubeObject } from "../meta/object.ts";
import { shapeOf, type StructShape } from "./shape.ts";

/** One version of a kind, as far as the holding of fields goes. */
export interface Form {
  readonly apiVersion: string;
  readonly shape: StructShape;
  /** From and to the stored form; the same object where this is the stored form. */
  fromStored(stored: KubeObject): KubeObject;
  toStored(served: KubeObject): KubeObject;
}

/** The form of a version, with the fields that a write of that part can change; `undefined` for no version of the kind. */
export type FormOf = (apiVersion: string) => Form | undefined;

/** The message of a version of the kind; empty for a version it does not have. */
export function schemaOf({ versions }: Pick<KindDefinition, "versions">, apiVersion: string): string {
  return versions.find((version) => apiVersionOf(version) === apiVersion)?.schema ?? "";
}

export function formsOf({ versions }: Pick<KindDefinition, "versions">, part: "main" | "status"): FormOf {
  return (apiVersion) => {
    const version = versions.find((other) => apiVersionOf(other) === apiVersion);
    if (version === undefined) return undefined;
    return {
      apiVersion,
      shape: shapeOf(version.schema, part),
      fromStored: version.fromStored ?? ((stored) => stored),
      toStored: version.toStored ?? ((served) => served),
    };
  };
}
