import type {
  RuleWithOperations,
  ValidatingWebhook,
} from "#api/admissionregistration/validatingwebhookconfiguration/kind.ts";
import { splitResource } from "#api/admissionregistration/validatingwebhookconfiguration/validate-rule.ts";
import type { Labels } from "#api/meta/selector.ts";
import { matchesSelector } from "#api/meta/selector.ts";
import { isEmptySelector } from "#api/meta/validate-selector.ts";
import type { Form, ReviewRequest } from "./request.ts";

/**
 * In which form a webhook is to be asked about a request; `undefined` when it does not want to be. With `matchPolicy:
 * Equivalent` a rule for another version of the same object counts too, and the webhook gets the object in that version
 * (upstream: `webhook/generic/webhook.go`). `labelsOf` gives the labels of a namespace.
 */
export function formFor(
  webhook: ValidatingWebhook,
  request: ReviewRequest,
  labelsOf: (namespace: string) => Labels,
): Form | undefined {
  const { rules = [], matchPolicy, namespaceSelector = {}, objectSelector = {} } = webhook;
  const forms = matchPolicy === "Exact" ? [request.form] : [request.form, ...request.equivalents];
  const form = forms.find((each) => rules.some((rule) => ruleMatches(rule, request, each)));
  if (form === undefined) return undefined;
  if (!isEmptySelector(objectSelector)) {
    const labelled = request.labelled.filter((object) => object !== undefined);
    if (!labelled.some(({ metadata }) => matchesSelector(objectSelector, metadata.labels))) return undefined;
  }
  if (isEmptySelector(namespaceSelector)) return form;
  const labels = namespaceLabels(request, labelsOf);
  return labels === "none" || matchesSelector(namespaceSelector, labels) ? form : undefined;
}

/** Those of the namespace the object is in; a Namespace counts as lying in itself, as it is to be. */
function namespaceLabels(request: ReviewRequest, labelsOf: (namespace: string) => Labels): Labels | "none" {
  if (isNamespace(request.form)) return (request.labelled[0] ?? request.labelled[1])?.metadata.labels;
  return request.namespace === undefined ? "none" : labelsOf(request.namespace);
}

function isNamespace({ group, resource }: Form): boolean {
  return group === "" && resource === "namespaces";
}

function ruleMatches(rule: RuleWithOperations, request: ReviewRequest, form: Form): boolean {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  const holds = (values: readonly string[], value: string) => values.includes("*") || values.includes(value);
  const isNamespaced = request.namespace !== undefined && !isNamespace(form);
  if (scope === "Cluster" && isNamespaced) return false;
  if (scope === "Namespaced" && !isNamespaced) return false;
  return (
    holds(operations, request.operation) &&
    holds(apiGroups, form.group) &&
    holds(apiVersions, form.version) &&
    resources.some((text) => resourceMatches(text, form.resource, request.subresource ?? ""))
  );
}

/** `pods` is the object alone, `pods/*` the object and all its parts. */
function resourceMatches(text: string, resource: string, subresource: string): boolean {
  const [wantedResource, wantedSubresource = ""] = splitResource(text);
  return (
    (wantedResource === "*" || wantedResource === resource) &&
    (wantedSubresource === "*" || wantedSubresource === subresource)
  );
}
