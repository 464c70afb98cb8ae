import type { UserInfo } from "#api/admission.ts";
import type { WebhookOperation } from "#api/admissionregistration/validatingwebhookconfiguration/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";

/** A kind and the resource it is asked for at, in one version. */
export interface Form {
  /** Of the resource. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Of the kind, where that is another than the resource's: `autoscaling/v1` of a Scale. */
  readonly kindVersion?: { readonly group: string; readonly version: string };
  /** The plural of the path, without a subresource. */
  readonly resource: string;
}

/** A request as webhooks are asked about it. */
export interface ReviewRequest {
  readonly operation: WebhookOperation;
  /** As the client asked. */
  readonly form: Form;
  /** The same object in other served versions, for webhooks that watch those. */
  readonly equivalents: readonly Form[];
  readonly subresource?: string;
  /** Empty while the server has yet to make one. */
  readonly name: string;
  readonly namespace?: string;
  /** In `form`'s version and in the equivalents'. */
  object(form: Form): object | undefined;
  oldObject(form: Form): object | undefined;
  /** What object selectors look at: the labels of the object and of the one before, where there is one. */
  readonly labelled: readonly (KubeObject | undefined)[];
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** `CreateOptions` and so on, as the request gave them. */
  readonly options?: object;
  /** Adds a `Warning:` header to the answer. */
  warn(text: string): void;
}
