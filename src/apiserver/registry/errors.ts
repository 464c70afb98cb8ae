import { splitApiVersion } from "#api/meta/object.ts";
import type { FieldError } from "#api/meta/field-error.ts";
import type { KindDefinition } from "#api/kind.ts";
import { ApiError, invalid, type StatusDetails, type StatusReason } from "#api/meta/status.ts";
import type { Resource } from "#api/resources.ts";
import { StoreError } from "#store/error.ts";
import type { WriteContext } from "./write.ts";

/** `deployments.apps`, `services`: how error texts name a resource. */
export function qualified({ apiVersion, plural }: Resource): string {
  const { group } = splitApiVersion(apiVersion);
  return group === "" ? plural : `${plural}.${group}`;
}

/** `details` of an error about one object; `kind` is the plural, as upstream has it. */
export function detailsOf({ apiVersion, plural }: Resource, name: string): StatusDetails {
  const { group } = splitApiVersion(apiVersion);
  return { name, ...(group === "" ? {} : { group }), kind: plural };
}

function about(reason: StatusReason, resource: Resource, name: string, text: string): ApiError {
  return new ApiError(reason, text, detailsOf(resource, name));
}

export function notFound(resource: Resource, name: string): ApiError {
  return about("NotFound", resource, name, `${qualified(resource)} "${name}" not found`);
}

export function alreadyExists(resource: Resource, name: string): ApiError {
  return about("AlreadyExists", resource, name, `${qualified(resource)} "${name}" already exists`);
}

export function conflict(resource: Resource, name: string, why: string): ApiError {
  return about("Conflict", resource, name, `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`);
}

export function staleVersion(resource: Resource, name: string): ApiError {
  const text = "the object has been modified; please apply your changes to the latest version and try again";
  return conflict(resource, name, text);
}

export function forbidden(resource: Resource, name: string, why: string): ApiError {
  return about("Forbidden", resource, name, `${qualified(resource)} "${name}" is forbidden: ${why}`);
}

export function expired(text: string): ApiError {
  return new ApiError("Expired", text);
}

/** Throws `Invalid` when there are errors, in the group and the fields of the version that was written. */
export function refuseInvalid(
  { resource }: Pick<KindDefinition, "resource">,
  { version }: WriteContext,
  name: string,
  errors: readonly FieldError[],
): void {
  if (errors.length === 0) return;
  const { group = splitApiVersion(resource.apiVersion).group, translateError = (error: FieldError) => error } =
    version ?? {};
  throw invalid(
    resource.kind,
    group,
    name,
    errors.map((error) => translateError(error)),
  );
}

/** What a failed commit is to the client. No `Retry-After`: whether the change was made may be unknown, so that a client must look before it repeats it. */
export function answerTo(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  return new ApiError(error.code === "too-large" ? "RequestEntityTooLarge" : "InternalError", error.message);
}
