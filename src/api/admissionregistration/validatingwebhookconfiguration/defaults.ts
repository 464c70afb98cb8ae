import type { ValidatingWebhookConfiguration } from "./kind.ts";

/** The defaults of `admissionregistration.k8s.io/v1` (upstream: pkg/apis/admissionregistration/v1/defaults.go). */
export function defaultWebhooks({ webhooks }: ValidatingWebhookConfiguration): void {
  for (const webhook of webhooks ?? []) {
    webhook.clientConfig ??= {};
    webhook.failurePolicy ??= "Fail";
    webhook.matchPolicy ??= "Equivalent";
    webhook.namespaceSelector ??= {};
    webhook.objectSelector ??= {};
    webhook.timeoutSeconds ??= 10;
    for (const rule of webhook.rules ?? []) rule.scope ??= "*";
    if (webhook.clientConfig.service !== undefined) webhook.clientConfig.service.port ??= 443;
  }
}
