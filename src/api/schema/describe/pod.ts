/** Pods as a whole: placement, network, security and state, in the notation of `texts.ts`. */
export const podTexts = `
core.v1.Pod < any.Kind: Containers that run together on one node and share one network address.
  spec: Which containers run, and how. Most of it cannot change.
  status: How the Pod is doing, as its node last said.
core.v1.PodTemplateSpec: What the Pods made from a template look like.
  metadata: Labels and annotations of the Pods. Names and namespaces given here are ignored.
  spec: Which containers run in the Pods, and how.
core.v1.PodSpec: Which containers run in a Pod, and how.
  volumes: Directories that containers may mount, by name.
  initContainers: Containers that run one after the other before the others start; each must succeed first. One with
    restartPolicy Always keeps running beside the others instead.
  containers!: The containers, at least one. None can be added or taken away later.
  ephemeralContainers: Containers added to a running Pod to look into it. Set only through the subresource
    "ephemeralcontainers".
  restartPolicy[Always Never OnFailure]: Which containers are started again when they end. Default Always.
  terminationGracePeriodSeconds: The seconds from the first signal to end until containers are killed. Default 30; 0 kills
    at once.
  activeDeadlineSeconds: The seconds after its start when the Pod is ended as failed. Absent: never.
  dnsPolicy[ClusterFirst ClusterFirstWithHostNet Default None]: Where names are looked up: in cluster DNS (ClusterFirst,
    the default; ClusterFirstWithHostNet for Pods in the node's network), as the node does (Default), or as dnsConfig says
    alone (None).
  dnsConfig: Further settings of DNS, put together with those of dnsPolicy.
  nodeSelector: Labels that a node must have for the Pod to run there.
  serviceAccountName: The ServiceAccount whose token the Pod gets. Default "default".
  serviceAccount: The old name of serviceAccountName. Deprecated.
  automountServiceAccountToken: Whether the token is mounted into the containers. Default true, unless the ServiceAccount
    says no.
  nodeName: The node the Pod runs on. Set by the scheduler; a name given at the start goes round it.
  hostNetwork: Use the node's network instead of one of the Pod's own. Ports of containers are then ports of the node.
    Default false.
  hostPID: See the processes of the node. Default false.
  hostIPC: Share the node's memory and message queues between processes. Default false.
  shareProcessNamespace: Whether the containers see each other's processes. Not together with hostPID. Default false.
  securityContext: Users, groups and confinement for all containers, as far as a container says nothing else.
  imagePullSecrets: Secrets in the same namespace that images are pulled with.
  hostname: The host name of the Pod. Default: its name.
  subdomain: Makes the full host name HOSTNAME.SUBDOMAIN.NAMESPACE.svc.CLUSTER-DOMAIN. Absent: there is none.
  setHostnameAsFQDN: Whether the host name is the full one. Default false.
  hostnameOverride: A host name used in place of hostname and subdomain. At most 64 characters.
  affinity: Rules about which nodes, near which Pods, the Pod is placed on.
  schedulerName: The scheduler that places the Pod. Default "default-scheduler".
  tolerations: Taints of nodes that do not keep the Pod away.
  hostAliases: Lines added to /etc/hosts of the containers.
  priorityClassName: The PriorityClass of the Pod. "system-node-critical" and "system-cluster-critical" always exist.
  priority: The priority as a number, filled from the class. More is more important.
  preemptionPolicy[Never PreemptLowerPriority]: Whether less important Pods may be ended to make room for this one. Default
    PreemptLowerPriority.
  readinessGates: Further conditions that must be True for the Pod to be ready.
  runtimeClassName: The RuntimeClass that says how the containers are run. Absent: the node's default.
  enableServiceLinks: Whether the addresses of Services are given as environment variables. Default true.
  overhead: What the Pod itself costs besides its containers. Filled from the runtime class.
  topologySpreadConstraints: How Pods of one kind are spread over nodes, zones and the like. All must hold.
  os: The operating system of the containers. The node must run it.
  hostUsers: Whether users in the containers are users of the node. Default true; false gives the Pod users of its own.
  schedulingGates: As long as there is one, the Pod is not placed. They can only be taken away.
  resourceClaims: Devices that must be set aside before the Pod starts.
  resources: What all containers together need at least and may use at most.
  schedulingGroup: The group of Pods this one is placed together with.
core.v1.PodSchedulingGroup: A group of Pods that are placed together.
  podGroupName: The name of the PodGroup, in the same namespace.
core.v1.PodOS: An operating system.
  name!: "linux" or "windows".
core.v1.PodSchedulingGate: Something that must happen before a Pod is placed.
  name!: The name of the gate.
core.v1.PodReadinessGate: A condition that counts for readiness.
  conditionType!: The type of the condition in the Pod's status.
core.v1.PodResourceClaim: Devices under a name that containers refer to. One of the two sources must be given.
  name!: The name inside the Pod.
  resourceClaimName: A ResourceClaim in the same namespace.
  resourceClaimTemplateName: A ResourceClaimTemplate that a claim for this Pod alone is made from.
core.v1.HostAlias: One line of /etc/hosts.
  ip!: The address.
  hostnames: The names of the address.
core.v1.PodDNSConfig: Settings of DNS for a Pod.
  nameservers: Addresses of name servers, after those that dnsPolicy gives. At most 3 together.
  searches: Domains in which short names are looked up, after those that dnsPolicy gives.
  options: Options of the resolver. They replace options of the same name.
core.v1.PodDNSConfigOption: An option of the resolver.
  name: The name, such as "ndots".
  value: The value, where the option has one.
core.v1.LocalObjectReference: An object in the same namespace.
  name: The name of the object.
core.v1.ObjectReference: An object anywhere in the cluster.
  apiVersion: The group and version of the object.
  kind: The kind of the object.
  namespace: The namespace of the object.
  name: The name of the object.
  uid: The uid of the object.
  resourceVersion: The state of the object that is meant.
  fieldPath: The part of the object that is meant, such as "spec.containers{web}".
core.v1.TypedLocalObjectReference: An object of a named kind in the same namespace.
  apiGroup: The group of the object; absent for the core group.
  kind!: The kind of the object.
  name!: The name of the object.
core.v1.TypedObjectReference < core.v1.TypedLocalObjectReference: An object of a named kind.
  namespace: The namespace of the object; absent for the same one.
core.v1.Affinity: Rules about where a Pod is placed.
  nodeAffinity: Rules about nodes.
  podAffinity: Rules about being near other Pods.
  podAntiAffinity: Rules about keeping away from other Pods.
core.v1.NodeAffinity: Rules about nodes. They count when the Pod is placed, not later.
  requiredDuringSchedulingIgnoredDuringExecution: What a node must fulfil.
  preferredDuringSchedulingIgnoredDuringExecution: What makes a node better: the weights that apply are added up.
core.v1.PreferredSchedulingTerm: A wish about nodes.
  weight!: How much it counts, from 1 to 100.
  preference!: The nodes it is about.
core.v1.NodeSelector: A choice of nodes: those that any of the terms chooses.
  nodeSelectorTerms!: The terms. Needed.
core.v1.NodeSelectorTerm: Nodes that fulfil all of the requirements. A term without any chooses none.
  matchExpressions: Requirements on labels.
  matchFields: Requirements on fields. Only metadata.name is known.
core.v1.NodeSelectorRequirement: One requirement on a node.
  key!: The label or field.
  operator![DoesNotExist Exists Gt In Lt NotIn]: How it is compared with the values.
  values: The values: at least one for In and NotIn, none for Exists and DoesNotExist, one whole number for Gt and Lt.
core.v1.PodAffinity: Rules about being near other Pods. They count when the Pod is placed, not later.
  requiredDuringSchedulingIgnoredDuringExecution: What must be fulfilled, all of it.
  preferredDuringSchedulingIgnoredDuringExecution: What makes a node better: the weights that apply are added up.
core.v1.PodAntiAffinity: Rules about keeping away from other Pods. They count when the Pod is placed, not later.
  requiredDuringSchedulingIgnoredDuringExecution: What must not be the case, none of it.
  preferredDuringSchedulingIgnoredDuringExecution: What makes a node worse: the weights that apply are added up.
core.v1.PodAffinityTerm: Pods that this one is to be near, or far from.
  labelSelector: The Pods, by their labels. Absent: none.
  namespaces: The namespaces of these Pods. With no namespaceSelector either: the Pod's own namespace.
  namespaceSelector: The namespaces of these Pods, by labels, added to those that are named. Empty chooses all.
  topologyKey!: What "near" means: nodes with the same value of this label.
  matchLabelKeys: Keys whose values are taken from the new Pod's labels and asked for too.
  mismatchLabelKeys: Keys whose values are taken from the new Pod's labels and must not be there.
core.v1.WeightedPodAffinityTerm: A wish about being near or far.
  weight!: How much it counts, from 1 to 100.
  podAffinityTerm!: The Pods it is about.
core.v1.Toleration: A taint that does not keep the Pod away.
  key: The key of the taint. Empty, with operator Exists: all taints.
  operator[Equal Exists]: How the value is compared. Default Equal; Exists takes any value.
  value: The value of the taint. Empty with Exists.
  effect[NoExecute NoSchedule PreferNoSchedule]: The effect of the taint. Empty: all effects.
  tolerationSeconds: How long a running Pod stays in spite of a taint with the effect NoExecute. Absent: for ever.
core.v1.TopologySpreadConstraint: How Pods of one kind are spread.
  maxSkew!: By how many Pods the fullest and the emptiest place may differ. At least 1.
  topologyKey!: What a place is: nodes with the same value of this label.
  whenUnsatisfiable![DoNotSchedule ScheduleAnyway]: What happens where it cannot be kept: the Pod waits, or is placed at the
    best of the bad places.
  labelSelector: The Pods that are counted, by their labels.
  matchLabelKeys: Keys whose values are taken from the new Pod's labels and asked for too.
  minDomains: With fewer places than this, the emptiest counts as holding none. Only with DoNotSchedule. Default 1.
  nodeAffinityPolicy[Honor Ignore]: Whether only nodes count that the Pod's nodeSelector and nodeAffinity allow. Default
    Honor.
  nodeTaintsPolicy[Honor Ignore]: Whether only nodes count whose taints the Pod tolerates. Default Ignore.
core.v1.PodSecurityContext: Users, groups and confinement for all containers of a Pod.
  runAsUser: The user the containers run as, by number. Default: what the image says.
  runAsGroup: The group the containers run as, by number. Default: what the image says.
  runAsNonRoot: Refuse to start a container that would run as root. Default false.
  supplementalGroups: Further groups of the first process of each container.
  supplementalGroupsPolicy[Merge Strict]: Whether groups that the image's /etc/group names count too (Merge, the default).
  fsGroup: A group that owns the volumes which can be owned, and that all containers belong to.
  fsGroupChangePolicy[Always OnRootMismatch]: Whether the ownership of a volume is changed each time (Always, the default),
    or only if its root directory is not right.
  sysctls: Settings of the kernel for the Pod.
  seLinuxOptions: The SELinux label of all containers. Default: one chosen by the runtime.
  seLinuxChangePolicy: How volumes get the label: MountOption (by the mount, the default) or Recursive (file by file).
  seccompProfile: The system calls that are allowed.
  appArmorProfile: The AppArmor profile.
  windowsOptions: Settings for Windows.
core.v1.SecurityContext: Rights and confinement of one container. What is said here beats what the Pod says.
  capabilities: Capabilities added to or taken from those the runtime gives.
  privileged: Run with nearly all the rights of root on the node. Default false.
  allowPrivilegeEscalation: Whether a process may get more rights than its parent. Default true.
  readOnlyRootFilesystem: Whether the container's own files can only be read. Default false.
  procMount[Default Unmasked]: Whether parts of /proc are hidden, as usual (Default), or not.
  runAsUser: The user the container runs as, by number. Default: what the Pod or the image says.
  runAsGroup: The group the container runs as, by number. Default: what the Pod or the image says.
  runAsNonRoot: Refuse to start if the container would run as root. Default false.
  seLinuxOptions: The SELinux label of the container.
  seccompProfile: The system calls that are allowed.
  appArmorProfile: The AppArmor profile.
  windowsOptions: Settings for Windows.
core.v1.Capabilities: Changes to the capabilities of a container, such as NET_ADMIN.
  add: Capabilities it gets.
  drop: Capabilities it loses. "ALL" takes all.
core.v1.SELinuxOptions: An SELinux label.
  user: The user part.
  role: The role part.
  type: The type part.
  level: The level part.
core.v1.SeccompProfile: A choice of system calls.
  type![Localhost RuntimeDefault Unconfined]: A file on the node, the runtime's own choice, or no limit.
  localhostProfile: The file, below the node's directory of profiles. Only with Localhost, and needed there.
core.v1.AppArmorProfile: A choice of an AppArmor profile.
  type![Localhost RuntimeDefault Unconfined]: A profile loaded on the node, the runtime's own, or none.
  localhostProfile: The name of the profile. Only with Localhost, and needed there.
core.v1.WindowsSecurityContextOptions: Settings for containers on Windows.
  gmsaCredentialSpecName: The name of the group managed account's credentials.
  gmsaCredentialSpec: These credentials themselves, filled by an admission webhook.
  runAsUserName: The user the container runs as, by name. Default: what the image says.
  hostProcess: Whether it is a process of the node. The same for all containers of a Pod.
core.v1.Sysctl: A setting of the kernel.
  name!: The name, such as "net.core.somaxconn".
  value!: The value.
core.v1.PodStatus: How a Pod is doing.
  phase[Failed Pending Running Succeeded Unknown]: Where the Pod is in its life.
  conditions: The state of the Pod in aspects: PodScheduled, Initialized, ContainersReady, Ready and others.
  message: Why the Pod is in this state, for people.
  reason: Why the Pod is in this state, in one word such as "Evicted".
  hostIP: The address of the node. Empty until the Pod is on one.
  hostIPs: The addresses of the node, one of each IP family.
  podIP: The address of the Pod. Empty until it has one.
  podIPs: The addresses of the Pod, at most one of each IP family. The first is podIP.
  startTime: When the node took on the Pod.
  nominatedNodeName: The node where room is being made for the Pod.
  initContainerStatuses: The state of each init container.
  containerStatuses: The state of each container.
  ephemeralContainerStatuses: The state of each ephemeral container.
  qosClass[BestEffort Burstable Guaranteed]: How safe the Pod is when memory runs short, worked out from what it asks for.
  resize: How far a change of resources has come. Replaced by conditions.
  resourceClaimStatuses: The ResourceClaims made for the Pod.
  extendedResourceClaimStatus: The ResourceClaim made for extended resources of the Pod.
  nodeAllocatableResourceClaimStatuses: What claimed devices take of the node's ordinary resources.
  observedGeneration: The metadata.generation that the status belongs to.
  allocatedResources: What the node has set aside for all containers together.
  resources: What all containers together are held to.
core.v1.PodCondition < any.Condition: One aspect of the state of a Pod.
  status!: Whether the condition holds: True, False or Unknown.
core.v1.PodIP: An address of a Pod.
  ip!: The address.
core.v1.HostIP: An address of a node.
  ip!: The address.
core.v1.PodResourceClaimStatus: A ResourceClaim made for a Pod.
  name!: The name inside the Pod, as in spec.resourceClaims.
  resourceClaimName: The name of the claim. Absent if none was needed.
core.v1.PodExtendedResourceClaimStatus: The claim made for extended resources.
  requestMappings!: Which request of the claim serves which container.
  resourceClaimName!: The name of the claim.
core.v1.ContainerExtendedResourceRequest: Which request serves a container's extended resource.
  containerName!: The container.
  resourceName!: The resource.
  requestName!: The request in the claim.
core.v1.NodeAllocatableResourceClaimStatus: What claimed devices take of a node's ordinary resources.
  resourceClaimName!: The name of the claim.
  containers: The containers that use it.
  resources!: The amounts, by resource.
`;
