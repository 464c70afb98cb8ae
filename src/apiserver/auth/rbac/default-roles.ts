import type { Subject } from "#api/rbac/binding.ts";
import type { PolicyRule } from "#api/rbac/rule.ts";
import { nodeRules } from "./node-rules.ts";

/** One of the ClusterRoles that every cluster has, and to whom it is given (upstream: `bootstrappolicy/policy.go`). */
export interface DefaultRole {
  readonly name: string;
  readonly rules?: readonly PolicyRule[];
  /** The role is made of all roles with this label. */
  readonly aggregates?: string;
  /** The role is part of those that aggregate this label. */
  readonly label?: string;
  /** Absent: no binding. Empty: a binding for whoever is to be added. */
  readonly subjects?: readonly Subject[];
}

const read = ["get", "list", "watch"];
const write = ["create", "delete", "deletecollection", "patch", "update"];
const readWrite = [...write, ...read];

const aggregateTo = (role: string) => `rbac.authorization.k8s.io/aggregate-to-${role}`;
const group = (name: string): Subject => ({ kind: "Group", name });
const account = (name: string): Subject => ({ kind: "ServiceAccount", namespace: "kube-system", name });

/** `rule(read, "apps", "deployments replicasets")` */
function rule(verbs: readonly string[], apiGroup: string, resources: string): PolicyRule {
  return { verbs: [...verbs], apiGroups: [apiGroup], resources: resources.split(" ") };
}

function paths(...nonResourceURLs: string[]): PolicyRule {
  return { verbs: ["get"], nonResourceURLs };
}

const apps =
  "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale";
const oldApps =
  "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale";

/** What the administrator of a namespace has beyond who edits in it: to say who else may do what there. */
const adminRules: readonly PolicyRule[] = [
  rule(["create"], "authorization.k8s.io", "localsubjectaccessreviews"),
  rule(readWrite, "rbac.authorization.k8s.io", "rolebindings roles"),
];

const editRules: readonly PolicyRule[] = [
  rule(read, "", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
  rule(["impersonate"], "", "serviceaccounts"),
  rule(write, "", "pods pods/attach pods/exec pods/portforward pods/proxy"),
  rule(["create"], "", "pods/eviction"),
  rule(
    write,
    "",
    "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy",
  ),
  rule(["create"], "", "serviceaccounts/token"),
  rule(write, "apps", apps),
  rule(write, "autoscaling", "horizontalpodautoscalers"),
  rule(write, "batch", "cronjobs jobs"),
  rule(write, "extensions", oldApps),
  rule(write, "policy", "poddisruptionbudgets"),
  rule(write, "networking.k8s.io", "ingresses networkpolicies"),
  rule(readWrite, "coordination.k8s.io", "leases"),
];

const viewRules: readonly PolicyRule[] = [
  rule(
    read,
    "",
    "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status",
  ),
  rule(
    read,
    "",
    "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status",
  ),
  rule(read, "", "namespaces"),
  rule(read, "discovery.k8s.io", "endpointslices"),
  rule(
    read,
    "apps",
    "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
  ),
  rule(read, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
  rule(read, "batch", "cronjobs cronjobs/status jobs jobs/status"),
  rule(
    read,
    "extensions",
    "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale",
  ),
  rule(read, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
  rule(read, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
];

/** What DNS servers follow; CoreDNS comes with a role of its own. */
const dnsRules: readonly PolicyRule[] = [
  rule(["list", "watch"], "", "endpoints services pods namespaces"),
  rule(["list", "watch"], "discovery.k8s.io", "endpointslices"),
];

const publicPaths = ["/healthz", "/livez", "/readyz", "/version", "/version/"];

export const defaultRoles: readonly DefaultRole[] = [
  {
    name: "cluster-admin",
    rules: [rule(["*"], "*", "*"), { verbs: ["*"], nonResourceURLs: ["*"] }],
    subjects: [group("system:masters")],
  },
  { name: "admin", aggregates: aggregateTo("admin") },
  { name: "edit", aggregates: aggregateTo("edit"), label: aggregateTo("admin") },
  { name: "view", aggregates: aggregateTo("view"), label: aggregateTo("edit") },
  { name: "system:aggregate-to-admin", label: aggregateTo("admin"), rules: adminRules },
  { name: "system:aggregate-to-edit", label: aggregateTo("edit"), rules: editRules },
  { name: "system:aggregate-to-view", label: aggregateTo("view"), rules: viewRules },
  {
    name: "system:discovery",
    rules: [paths("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", ...publicPaths)],
    subjects: [group("system:authenticated")],
  },
  {
    name: "system:basic-user",
    rules: [
      rule(["create"], "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
      rule(["create"], "authentication.k8s.io", "selfsubjectreviews"),
    ],
    subjects: [group("system:authenticated")],
  },
  {
    name: "system:public-info-viewer",
    rules: [paths(...publicPaths)],
    subjects: [group("system:authenticated"), group("system:unauthenticated")],
  },
  {
    name: "system:service-account-issuer-discovery",
    rules: [
      paths(
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/",
        "/openid/v1/jwks",
        "/openid/v1/jwks/",
      ),
    ],
    subjects: [group("system:serviceaccounts")],
  },
  {
    name: "system:monitoring",
    rules: [paths("/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/metrics/slis", "/readyz", "/readyz/*")],
    subjects: [group("system:monitoring")],
  },
  {
    name: "system:auth-delegator",
    rules: [
      rule(["create"], "authentication.k8s.io", "tokenreviews"),
      rule(["create"], "authorization.k8s.io", "subjectaccessreviews"),
    ],
  },
  { name: "system:node", rules: nodeRules, subjects: [] },
  {
    name: "system:node-proxier",
    rules: [
      rule(["list", "watch"], "", "endpoints services"),
      rule(read, "", "nodes"),
      rule(["create", "patch", "update"], "", "events"),
      rule(["create", "patch", "update"], "events.k8s.io", "events"),
      rule(["list", "watch"], "discovery.k8s.io", "endpointslices"),
      rule(["list", "watch"], "networking.k8s.io", "servicecidrs"),
    ],
    subjects: [{ kind: "User", name: "system:kube-proxy" }],
  },
  { name: "system:kube-dns", rules: dnsRules, subjects: [account("kube-dns")] },
  { name: "system:coredns", rules: dnsRules, subjects: [account("coredns")] },
];
