import { reviewVersions } from "#api/admissionregistration/validatingwebhookconfiguration/validate.ts";
import { ApiError, type Status, type StatusReason } from "#api/meta/status.ts";
import type { Form, ReviewRequest } from "./request.ts";

type ReviewVersion = (typeof reviewVersions)[number];

/** The version of AdmissionReview to speak: the first of the webhook's that is known here. */
export function reviewVersionOf(wished: readonly string[] = []): ReviewVersion {
  const known = wished.find((version) => reviewVersions.some((each) => each === version));
  return (known as ReviewVersion | undefined) ?? "v1";
}

/** The AdmissionReview that asks about a request, in one form of the object (`admission.k8s.io/v1`). */
export function renderReview(request: ReviewRequest, form: Form, version: ReviewVersion, uid: string): object {
  const { operation, subresource, name, namespace, user, dryRun, options } = request;
  const part = subresource === undefined ? {} : { subResource: subresource, requestSubResource: subresource };
  return {
    kind: "AdmissionReview",
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid,
      kind: kindOf(form),
      resource: resourceOf(form),
      ...part,
      requestKind: kindOf(request.form),
      requestResource: resourceOf(request.form),
      ...(name === "" ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      operation,
      userInfo: {
        username: user.name,
        ...(user.uid === undefined ? {} : { uid: user.uid }),
        groups: user.groups,
        ...(user.extra === undefined ? {} : { extra: user.extra }),
      },
      object: request.object(form) ?? null,
      oldObject: request.oldObject(form) ?? null,
      dryRun,
      options: options ?? null,
    },
  };
}

function kindOf({ group, version, kind, kindVersion = { group, version } }: Form): object {
  return { ...kindVersion, kind };
}

function resourceOf({ group, version, resource }: Form): object {
  return { group, version, resource };
}

/** What a webhook said. */
export interface Verdict {
  readonly allowed: boolean;
  readonly status: Partial<Status> | undefined;
  readonly warnings: readonly string[];
}

/** Reads an answer; throws an `Error` that says what is wrong with it, in upstream's words where they matter. */
export function readReview(text: string, version: ReviewVersion, uid: string): Verdict {
  const review = recordOf(parse(text));
  const response = review["response"];
  if (response === undefined || response === null) throw new Error("webhook response was absent");
  const { uid: answered, allowed, status, warnings } = recordOf(response);
  if (version === "v1") {
    if (answered !== uid) throw new Error(`expected response.uid="${uid}", got ${JSON.stringify(answered ?? "")}`);
    const got = `${textOf(review["apiVersion"])}, Kind=${textOf(review["kind"])}`;
    const wanted = "admission.k8s.io/v1, Kind=AdmissionReview";
    if (got !== wanted) throw new Error(`expected webhook response of ${wanted}, got ${got}`);
  }
  return {
    allowed: allowed === true,
    status: status === undefined || status === null ? undefined : recordOf(status),
    warnings: Array.isArray(warnings) ? warnings.filter((each) => typeof each === "string") : [],
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`the answer is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("the answer is no object");
  return value as Record<string, unknown>;
}

/** A refusal as the webhook put it: its status with the webhook's name before the message (upstream's `ToStatusErr`). */
export class DeniedError extends ApiError {
  readonly #status: Status;

  constructor(webhook: string, given: Partial<Status> = {}) {
    const { message, code = 0 } = given;
    const reason = textOf(given.reason) as StatusReason | "";
    const details = typeof given.details === "object" && given.details !== null ? given.details : undefined;
    const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`;
    const why = textOf(message) || reason;
    const text = why === "" ? `${denied} without explanation` : `${denied}: ${why}`;
    // A refusal is never a success, whatever the webhook says.
    const status = Number.isInteger(code) && code >= 400 && code <= 599 ? code : 400;
    super(reason || "Unknown", text, details, status);
    this.#status = {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: text,
      ...(reason ? { reason } : {}),
      ...(details ? { details } : {}),
      code: status,
    };
  }

  override toStatus(): Status {
    return this.#status;
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
