import type { UserInfo } from "#api/admission.ts";
import { ApiError } from "#api/meta/status.ts";

/** What is asked: something with a resource, or a plain path. */
export type Attributes =
  | {
      readonly verb: string;
      readonly group: string;
      readonly resource: string;
      readonly subresource?: string;
      readonly namespace?: string;
      readonly name?: string;
    }
  | { readonly verb: string; readonly path: string };

/** One line of what a group may do; `*` stands for everything. */
export interface Rule {
  readonly verbs: readonly string[];
  readonly group: string;
  /** `pods`, `pods/status`. */
  readonly resources: readonly string[];
}

const read = ["get", "list", "watch"] as const;
const write = ["create", "update", "patch"] as const;

/** What the agents' proxies and pod runners need, and no more. */
export const nodeRules: readonly Rule[] = [
  {
    verbs: read,
    group: "",
    resources: ["services", "endpoints", "nodes", "pods", "configmaps", "secrets", "namespaces", "serviceaccounts"],
  },
  { verbs: read, group: "discovery.k8s.io", resources: ["endpointslices"] },
  { verbs: ["get", "update", "patch"], group: "", resources: ["pods/status", "nodes/status"] },
  { verbs: ["delete"], group: "", resources: ["pods"] },
  { verbs: ["create", "update", "patch", "delete"], group: "", resources: ["nodes"] },
  { verbs: [...read, ...write, "delete"], group: "coordination.k8s.io", resources: ["leases"] },
  { verbs: write, group: "", resources: ["events"] },
];

/** What everybody may who has said who he is: look at himself. */
export const commonRules: readonly Rule[] = [
  { verbs: ["create"], group: "authentication.k8s.io", resources: ["selfsubjectreviews"] },
  {
    verbs: ["create"],
    group: "authorization.k8s.io",
    resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
  },
];

const openPaths = /^\/(healthz|livez|readyz)(\/.*)?$|^\/version\/?$/;
const discoveryPaths = /^\/(api|apis|openapi)(\/.*)?$/;

/** Whether `user` may; the answer's text is the reason, for reviews. */
export function authorize(user: UserInfo, asked: Attributes): { allowed: boolean; reason: string } {
  if (user.groups.includes("system:masters")) return { allowed: true, reason: "member of system:masters" };
  if ("path" in asked) {
    const isRead = asked.verb === "get";
    const known = user.groups.includes("system:authenticated") && discoveryPaths.test(asked.path);
    return { allowed: isRead && (openPaths.test(asked.path) || known), reason: "" };
  }
  return { allowed: rulesOf(user).some((rule) => ruleAllows(rule, asked)), reason: "" };
}

export function rulesOf(user: UserInfo): readonly Rule[] {
  const common = user.groups.includes("system:authenticated") ? commonRules : [];
  return user.groups.includes("system:nodes") ? [...nodeRules, ...common] : common;
}

function ruleAllows(rule: Rule, asked: Exclude<Attributes, { path: string }>): boolean {
  const resource = asked.subresource === undefined ? asked.resource : `${asked.resource}/${asked.subresource}`;
  return rule.group === asked.group && rule.verbs.includes(asked.verb) && rule.resources.includes(resource);
}

/** The 403 of what `authorize` refused, in upstream's words. */
export function refusal(user: UserInfo, asked: Attributes): ApiError {
  const who = `User "${user.name}" cannot`;
  if ("path" in asked) {
    return new ApiError("Forbidden", `forbidden: ${who} ${asked.verb} path "${asked.path}"`, {});
  }
  const { verb, group, resource, subresource, namespace, name } = asked;
  const qualified = group === "" ? resource : `${resource}.${group}`;
  const object = name === undefined ? qualified : `${qualified} "${name}"`;
  const full = subresource === undefined ? resource : `${resource}/${subresource}`;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const text = `${object} is forbidden: ${who} ${verb} resource "${full}" in API group "${group}" ${where}`;
  const details = { ...(name === undefined ? {} : { name }), ...(group === "" ? {} : { group }), kind: resource };
  return new ApiError("Forbidden", text, details);
}
