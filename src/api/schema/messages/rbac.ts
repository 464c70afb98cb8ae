/** The group `rbac.authorization.k8s.io`, in the notation of `message.ts`. */
export const rbacMessages = `
rbac.v1.AggregationRule: clusterRoleSelectors=1:[]meta.LabelSelector
rbac.v1.ClusterRole: metadata=1:meta.ObjectMeta rules=2:[]rbac.v1.PolicyRule aggregationRule=3:rbac.v1.AggregationRule
rbac.v1.ClusterRoleBinding: metadata=1:meta.ObjectMeta subjects=2:[]rbac.v1.Subject roleRef=3:rbac.v1.RoleRef
rbac.v1.PolicyRule: verbs=1:[] apiGroups=2:[] resources=3:[] resourceNames=4:[] nonResourceURLs=5:[]
rbac.v1.Role: metadata=1:meta.ObjectMeta rules=2:[]rbac.v1.PolicyRule
rbac.v1.RoleBinding: metadata=1:meta.ObjectMeta subjects=2:[]rbac.v1.Subject roleRef=3:rbac.v1.RoleRef
rbac.v1.RoleRef: apiGroup=1 kind=2 name=3
rbac.v1.Subject: kind=1 apiGroup=2 name=3 namespace=4
`;
