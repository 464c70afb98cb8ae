import { fieldErrorReason, fieldErrorText, type FieldError } from "./field-error.ts";

/** `metav1.Status` as the API answers it for errors, and the exception that carries it. */
export interface Status {
  kind: "Status";
  apiVersion: "v1";
  metadata: Record<string, unknown>;
  status: "Success" | "Failure";
  message?: string;
  reason?: StatusReason;
  details?: StatusDetails;
  code?: number;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

/** The reasons of apimachinery's `meta/v1/types.go` that Fairlead uses. */
export type StatusReason =
  | "Unauthorized"
  | "Forbidden"
  | "NotFound"
  | "AlreadyExists"
  | "Conflict"
  | "Gone"
  | "Expired"
  | "Invalid"
  | "Timeout"
  | "ServerTimeout"
  | "TooManyRequests"
  | "BadRequest"
  | "MethodNotAllowed"
  | "NotAcceptable"
  | "RequestEntityTooLarge"
  | "UnsupportedMediaType"
  | "InternalError"
  | "ServiceUnavailable"
  | "Unknown";

const codes: Record<StatusReason, number> = {
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  Invalid: 422,
  Timeout: 504,
  ServerTimeout: 500,
  TooManyRequests: 429,
  BadRequest: 400,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  InternalError: 500,
  ServiceUnavailable: 503,
  Unknown: 500,
};

/**
 * An answer of the API that is not success. Every client, local or remote, rejects with this and nothing else; `reason`
 * is the stable code to branch on.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly reason: StatusReason;
  readonly code: number;
  readonly details: StatusDetails | undefined;

  constructor(reason: StatusReason, message: string, details?: StatusDetails, code: number = codes[reason]) {
    super(message);
    this.reason = reason;
    this.code = code;
    this.details = details;
  }

  toStatus(): Status {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/** True when `error` is an answer of the API with one of these reasons. */
export function isApiError(error: unknown, ...reasons: StatusReason[]): error is ApiError {
  return error instanceof ApiError && (reasons.length === 0 || reasons.includes(error.reason));
}

/**
 * The 422 answer for wrong fields, in upstream's words:
 * `Service "x" is invalid: spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive`.
 * `kind` carries the group for all but the core one: `Ingress.networking.k8s.io`.
 */
export function invalid(kind: string, group: string, name: string, errors: readonly FieldError[]): ApiError {
  const lines = errors.map((error) => `${error.path}: ${fieldErrorText(error)}`);
  const text = lines.length === 1 ? lines[0] : `[${lines.join(", ")}]`;
  const causes = errors.map((error) => ({
    reason: fieldErrorReason(error),
    message: fieldErrorText(error),
    field: error.path,
  }));
  const qualified = group === "" ? kind : `${kind}.${group}`;
  const details = { name, ...(group === "" ? {} : { group }), kind, causes };
  return new ApiError("Invalid", `${qualified} "${name}" is invalid: ${text}`, details);
}
