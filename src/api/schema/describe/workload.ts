/** Controllers of Pods and what is allowed to whom, in the notation of `texts.ts`. */
export const workloadTexts = `
apps.v1.Deployment < any.Kind: Keeps a number of equal Pods running, and changes them step by step.
  spec: How many Pods, which, and how they are changed.
  status: How many Pods there are.
apps.v1.DeploymentSpec: How many Pods, which, and how they are changed.
  replicas: How many Pods. Default 1.
  selector!: The labels of its Pods. Must match those of the template. It cannot change.
  template!: What the Pods look like. A change of it starts a rollout. Only restartPolicy Always is allowed.
  strategy: How Pods are replaced by new ones.
  minReadySeconds: How long a new Pod must be ready to count as available. Default 0.
  revisionHistoryLimit: How many old ReplicaSets are kept to go back to. Default 10.
  paused: Whether changes of the template are not rolled out. Default false.
  progressDeadlineSeconds: After how many seconds without progress a rollout counts as failed. Default 600.
apps.v1.DeploymentStrategy: How Pods are replaced by new ones.
  type[Recreate RollingUpdate]: All old ones end before the first new one starts (Recreate), or step by step
    (RollingUpdate, the default).
  rollingUpdate: The size of the steps. Only with RollingUpdate.
apps.v1.RollingUpdateDeployment: The size of the steps, as numbers or as percentages of the wanted Pods.
  maxUnavailable: How many Pods may be missing. Rounded down; default 25%. Not 0 if maxSurge is 0.
  maxSurge: How many Pods there may be too many. Rounded up; default 25%. Not 0 if maxUnavailable is 0.
apps.v1.DeploymentStatus: How many Pods a Deployment has.
  observedGeneration: The metadata.generation that the status belongs to.
  replicas: How many Pods there are.
  updatedReplicas: How many are of the newest template.
  readyReplicas: How many are ready.
  availableReplicas: How many have been ready for minReadySeconds.
  unavailableReplicas: How many are still missing.
  terminatingReplicas: How many are ending.
  conditions: The state of the Deployment in aspects: Available, Progressing and ReplicaFailure.
  collisionCount: How often the name of a new ReplicaSet was taken already.
apps.v1.DeploymentCondition < any.Condition: One aspect of the state of a Deployment.
  status!: Whether the condition holds: True, False or Unknown.
apps.v1.ReplicaSet < any.Kind: Keeps a number of equal Pods running. Mostly made by a Deployment.
  spec: How many Pods, and which.
  status: How many Pods there are.
apps.v1.ReplicaSetSpec: How many Pods, and which.
  replicas: How many Pods. Default 1.
  selector!: The labels of its Pods. Must match those of the template. It cannot change.
  template: What the Pods look like. A change of it counts for new Pods only.
  minReadySeconds: How long a new Pod must be ready to count as available. Default 0.
apps.v1.ReplicaSetStatus: How many Pods a ReplicaSet has.
  replicas!: How many Pods there are.
  fullyLabeledReplicas: How many have all labels of the template.
  readyReplicas: How many are ready.
  availableReplicas: How many have been ready for minReadySeconds.
  terminatingReplicas: How many are ending.
  observedGeneration: The metadata.generation that the status belongs to.
  conditions: The state of the ReplicaSet in aspects, such as ReplicaFailure.
apps.v1.ReplicaSetCondition < any.Condition: One aspect of the state of a ReplicaSet.
  status!: Whether the condition holds: True, False or Unknown.
apps.v1.DaemonSet < any.Kind: Keeps one Pod running on every node that it is meant for.
  spec: Which Pods, on which nodes, and how they are changed.
  status: How many Pods there are.
apps.v1.DaemonSetSpec: Which Pods, on which nodes, and how they are changed.
  selector!: The labels of its Pods. Must match those of the template. It cannot change.
  template!: What the Pods look like. Its nodeSelector, affinity and tolerations say on which nodes they run.
  updateStrategy: How Pods are replaced by new ones.
  minReadySeconds: How long a new Pod must be ready to count as available. Default 0.
  revisionHistoryLimit: How many old revisions are kept to go back to. Default 10.
apps.v1.DaemonSetUpdateStrategy: How Pods are replaced by new ones.
  type[OnDelete RollingUpdate]: Only when somebody deletes the old ones (OnDelete), or step by step (RollingUpdate, the
    default).
  rollingUpdate: The size of the steps. Only with RollingUpdate.
apps.v1.RollingUpdateDaemonSet: The size of the steps, as numbers or as percentages of the nodes.
  maxUnavailable: On how many nodes the Pod may be missing. Rounded up; default 1. Not 0 if maxSurge is 0.
  maxSurge: On how many nodes the new Pod may start before the old one ends. Rounded up; default 0. Not 0 if maxUnavailable
    is 0.
apps.v1.DaemonSetStatus: How many Pods a DaemonSet has.
  currentNumberScheduled!: How many nodes have a Pod and are to have one.
  numberMisscheduled!: How many nodes have a Pod and are to have none.
  desiredNumberScheduled!: How many nodes are to have a Pod.
  numberReady!: How many nodes are to have a Pod and have one that is ready.
  observedGeneration: The metadata.generation that the status belongs to.
  updatedNumberScheduled: How many nodes have a Pod of the newest template.
  numberAvailable: How many nodes have a Pod that has been ready for minReadySeconds.
  numberUnavailable: How many nodes still lack such a Pod.
  collisionCount: How often the name of a new revision was taken already.
  conditions: The state of the DaemonSet in aspects.
apps.v1.DaemonSetCondition < any.Condition: One aspect of the state of a DaemonSet.
  status!: Whether the condition holds: True, False or Unknown.
apps.v1.ControllerRevision < any.Kind: What a controller's object looked like at one time, to go back to. It cannot change.
  data: The part of the object that is kept, in the form its controller chose.
  revision!: The number of the state. The highest is the newest.
autoscaling.v1.Scale < any.Kind: The number of Pods of an object that can be scaled.
autoscaling.v1.ScaleSpec: How many Pods are wanted.
  replicas: How many Pods are wanted.
autoscaling.v1.ScaleStatus: How many Pods there are.
  replicas!: How many Pods there are.
  selector: The labels of the Pods, as text.
rbac.v1.Role < any.Kind: What is allowed in one namespace.
  rules: What is allowed. Nothing else is.
rbac.v1.ClusterRole < any.Kind: What is allowed in all namespaces and outside of them, or in one by a RoleBinding.
  rules: What is allowed. Filled from other roles where aggregationRule is given.
  aggregationRule: Roles whose rules are put together into this one.
rbac.v1.AggregationRule: Roles whose rules are put together.
  clusterRoleSelectors: Labels of the ClusterRoles. Each selector adds those it matches.
rbac.v1.PolicyRule: One thing that is allowed.
  verbs!: What may be done: get, list, watch, create, update, patch, delete, deletecollection and others; "*" for all.
  apiGroups: The groups of the resources; "" for the core group, "*" for all.
  resources: The resources, with a subresource as in "pods/log"; "*" for all.
  resourceNames: The names of the objects. Empty: all.
  nonResourceURLs: Paths that are not resources; a "*" at the end stands for the rest. Only in ClusterRoles.
rbac.v1.RoleBinding < any.Kind: Gives a role to users in one namespace.
  subjects: Who gets the role.
  roleRef!: The Role in the same namespace, or a ClusterRole. It cannot change.
rbac.v1.ClusterRoleBinding < any.Kind: Gives a ClusterRole to users everywhere.
  subjects: Who gets the role.
  roleRef!: The ClusterRole. It cannot change.
rbac.v1.RoleRef: A role.
  apiGroup: The group of the role: "rbac.authorization.k8s.io".
  kind!: Role or ClusterRole.
  name!: The name of the role.
rbac.v1.Subject: A user, a group or a ServiceAccount.
  kind!: User, Group or ServiceAccount.
  apiGroup: "rbac.authorization.k8s.io" for users and groups (the default), "" for ServiceAccounts.
  name!: The name.
  namespace: The namespace of the ServiceAccount; absent for the others.
`;
