import type { PolicyRule } from "#api/rbac/rule.ts";

const read = ["get", "list", "watch"];
const write = ["create", "update", "patch"];

/** What the agents' proxies and pod runners need, and no more. Tokens are checked once more against the pod. */
export const nodeRules: readonly PolicyRule[] = [
  {
    verbs: read,
    apiGroups: [""],
    resources: ["services", "endpoints", "nodes", "pods", "configmaps", "secrets", "namespaces", "serviceaccounts"],
  },
  { verbs: read, apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"] },
  { verbs: ["get", "update", "patch"], apiGroups: [""], resources: ["pods/status", "nodes/status"] },
  { verbs: ["delete"], apiGroups: [""], resources: ["pods"] },
  { verbs: ["create", "update", "patch", "delete"], apiGroups: [""], resources: ["nodes"] },
  { verbs: [...read, ...write, "delete"], apiGroups: ["coordination.k8s.io"], resources: ["leases"] },
  { verbs: write, apiGroups: [""], resources: ["events"] },
  { verbs: ["create"], apiGroups: [""], resources: ["serviceaccounts/token"] },
];
