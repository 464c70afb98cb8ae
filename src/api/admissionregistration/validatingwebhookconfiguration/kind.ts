import type { ObjectMeta } from "../../meta/object.ts";
import type { LabelSelector } from "../../meta/selector.ts";

/** Who is asked before certain requests are carried out. */
export interface ValidatingWebhookConfiguration {
  apiVersion: "admissionregistration.k8s.io/v1";
  kind: "ValidatingWebhookConfiguration";
  metadata: ObjectMeta;
  webhooks?: ValidatingWebhook[];
}

export interface ValidatingWebhook {
  name: string;
  clientConfig: WebhookClientConfig;
  rules?: RuleWithOperations[];
  failurePolicy?: "Fail" | "Ignore";
  matchPolicy?: "Exact" | "Equivalent";
  namespaceSelector?: LabelSelector;
  objectSelector?: LabelSelector;
  sideEffects?: "None" | "NoneOnDryRun";
  timeoutSeconds?: number;
  admissionReviewVersions?: string[];
  matchConditions?: { name: string; expression: string }[];
}

export interface WebhookClientConfig {
  url?: string;
  service?: ServiceReference;
  /** PEM as base64; what the webhook's certificate is trusted by. The machine's authorities when it is missing. */
  caBundle?: string;
}

export interface ServiceReference {
  namespace: string;
  name: string;
  path?: string;
  port?: number;
}

export type WebhookOperation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

export interface RuleWithOperations {
  operations?: (WebhookOperation | "*")[];
  apiGroups?: string[];
  apiVersions?: string[];
  /** `pods`, `pods/status`, `pods/*`, `*`, `*` + `/scale`, … */
  resources?: string[];
  scope?: "Cluster" | "Namespaced" | "*";
}
