import { X509Certificate } from "node:crypto";
import type { FieldError } from "../../meta/field-error.ts";
import { duplicate, forbidden, invalids, invalidValue, required, unlessOneOf } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkSubdomain } from "../../meta/names.ts";
import { validateSelector } from "../../meta/validate-selector.ts";
import type { ValidatingWebhook, ValidatingWebhookConfiguration } from "./kind.ts";
import { validateClient } from "./validate-client.ts";
import { validateRule } from "./validate-rule.ts";

/** The versions of AdmissionReview that can be spoken. */
export const reviewVersions = ["v1", "v1beta1"] as const;

export function validateConfiguration(configuration: ValidatingWebhookConfiguration): FieldError[] {
  const errors = validateMetadata(configuration, false);
  const names = new Set<string>();
  for (const [index, webhook] of (configuration.webhooks ?? []).entries()) {
    const path = `webhooks[${index}]`;
    errors.push(...validateWebhook(webhook, path), ...validateVersions(webhook, `${path}.admissionReviewVersions`));
    if (names.has(webhook.name)) errors.push(duplicate(`${path}.name`, webhook.name));
    if (webhook.name) names.add(webhook.name);
  }
  return errors;
}

export function validateConfigurationUpdate(
  next: ValidatingWebhookConfiguration,
  before: ValidatingWebhookConfiguration,
): FieldError[] {
  return validateMetadataUpdate(next, before);
}

/** The rules of upstream's `validateValidatingWebhook`, in its order. */
function validateWebhook(webhook: ValidatingWebhook, path: string): FieldError[] {
  const { name, rules = [], sideEffects, timeoutSeconds = 10, clientConfig } = webhook;
  return [
    ...validateName(name, `${path}.name`),
    ...rules.flatMap((rule, index) => validateRule(rule, `${path}.rules[${index}]`)),
    ...unlessOneOf(`${path}.failurePolicy`, webhook.failurePolicy, ["Fail", "Ignore"]),
    ...unlessOneOf(`${path}.matchPolicy`, webhook.matchPolicy, ["Equivalent", "Exact"]),
    ...(sideEffects === undefined
      ? [required(`${path}.sideEffects`, "must specify one of None, NoneOnDryRun")]
      : unlessOneOf(`${path}.sideEffects`, sideEffects, ["None", "NoneOnDryRun"])),
    ...(timeoutSeconds < 1 || timeoutSeconds > 30
      ? [invalidValue(`${path}.timeoutSeconds`, timeoutSeconds, "the timeout value must be between 1 and 30 seconds")]
      : []),
    ...validateSelector(webhook.namespaceSelector ?? {}, `${path}.namespaceSelector`),
    ...validateSelector(webhook.objectSelector ?? {}, `${path}.objectSelector`),
    ...validateClient(clientConfig, `${path}.clientConfig`),
    ...validateBundle(clientConfig.caBundle, `${path}.clientConfig.caBundle`),
    ...refuseConditions(webhook, `${path}.matchConditions`),
  ];
}

function validateName(name: string | undefined, path: string): FieldError[] {
  if (!name) return [required(path)];
  const errors = invalids(path, name, checkSubdomain(name));
  if (errors.length > 0 || name.split(".").length >= 3) return errors;
  return [invalidValue(path, name, "should be a domain with at least three segments separated by dots")];
}

/** Upstream finds out when it calls; a bundle that holds no certificate can never work. */
function validateBundle(bundle: string | undefined, path: string): FieldError[] {
  if (!bundle) return [];
  const detail = "unable to load root certificates: unable to parse bytes as PEM block";
  return holdsCertificate(bundle) ? [] : [invalidValue(path, "<bundle>", detail)];
}

function holdsCertificate(bundle: string): boolean {
  const pem = Buffer.from(bundle, "base64").toString();
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block)).length > 0;
  } catch {
    return false;
  }
}

/** There is no CEL here, and a condition that is passed over would let through or hold up what it should not. */
function refuseConditions({ matchConditions = [] }: ValidatingWebhook, path: string): FieldError[] {
  if (matchConditions.length === 0) return [];
  const detail = "CEL expressions are not supported here; use rules, namespaceSelector and objectSelector";
  return [forbidden(path, detail)];
}

function validateVersions({ admissionReviewVersions: versions = [] }: ValidatingWebhook, path: string): FieldError[] {
  const known = reviewVersions.join(", ");
  if (versions.length === 0) return [required(path, `must specify one of ${known}`)];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, version] of versions.entries()) {
    if (seen.has(version)) errors.push(invalidValue(`${path}[${index}]`, version, "duplicate version"));
    seen.add(version);
  }
  if (!reviewVersions.some((version) => seen.has(version))) {
    errors.push(invalidValue(path, versions, `must include at least one of ${known}`));
  }
  return errors;
}
