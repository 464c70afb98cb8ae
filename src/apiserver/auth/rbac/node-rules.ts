import type { PolicyRule } from "#api/rbac/rule.ts";

const read = ["get", "list", "watch"];

/**
 * What agents need (upstream: `NodeRules` of `bootstrappolicy/policy.go`), of the kinds served here. Of Secrets,
 * ConfigMaps, tokens, Leases, Nodes and pods each node has its own part only: `auth/node`.
 */
export const nodeRules: readonly PolicyRule[] = [
  { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"] },
  {
    verbs: ["create"],
    apiGroups: ["authorization.k8s.io"],
    resources: ["subjectaccessreviews", "localsubjectaccessreviews"],
  },
  { verbs: read, apiGroups: [""], resources: ["services"] },
  { verbs: ["create", ...read], apiGroups: [""], resources: ["nodes"] },
  { verbs: ["update", "patch"], apiGroups: [""], resources: ["nodes/status"] },
  { verbs: ["update", "patch"], apiGroups: [""], resources: ["nodes"] },
  { verbs: ["create", "update", "patch"], apiGroups: [""], resources: ["events"] },
  { verbs: read, apiGroups: [""], resources: ["pods"] },
  { verbs: ["create", "delete"], apiGroups: [""], resources: ["pods"] },
  { verbs: ["update", "patch"], apiGroups: [""], resources: ["pods/status"] },
  { verbs: ["create"], apiGroups: [""], resources: ["pods/eviction"] },
  { verbs: read, apiGroups: [""], resources: ["configmaps", "secrets"] },
  { verbs: ["get"], apiGroups: [""], resources: ["endpoints"] },
  {
    verbs: ["create", "delete", "get", "patch", "update"],
    apiGroups: ["coordination.k8s.io"],
    resources: ["leases"],
  },
  { verbs: ["create"], apiGroups: [""], resources: ["serviceaccounts/token"] },
];
