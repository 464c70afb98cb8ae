/** Nodes, namespaces, settings, accounts, events and leases, in the notation of `texts.ts`. */
export const clusterTexts = `
core.v1.Namespace < any.Kind: A room for names. Objects in it are deleted with it.
  spec: What holds the namespace when it is deleted.
core.v1.NamespaceSpec: What holds a namespace.
  finalizers: Who must be done before a deleted namespace goes. Set to "kubernetes" by the server.
core.v1.NamespaceStatus: Where a namespace is in its life.
  phase[Active Terminating]: Active, or Terminating while it is being emptied.
  conditions: What keeps a namespace from being deleted.
core.v1.NamespaceCondition < any.Condition: One aspect of the deletion of a namespace.
  status!: Whether the condition holds: True, False or Unknown.
core.v1.Node < any.Kind: A machine that Pods run on.
  spec: How the node may be used.
  status: What the node is, and how it is doing.
core.v1.NodeSpec: How a node may be used.
  podCIDR: The network that Pods on the node get addresses from.
  podCIDRs: The networks that Pods on the node get addresses from, at most one of each IP family. The first is podCIDR.
  providerID: The machine's identity at who provides it, as "PROVIDER://ID".
  unschedulable: Whether no new Pods are placed on it. Set by "kubectl cordon". Default false.
  taints: What keeps Pods away that do not tolerate it.
  configSource: No longer used.
  externalID: No longer used.
core.v1.Taint: Something that keeps Pods away from a node unless they tolerate it.
  key!: The key.
  value: The value.
  effect![NoExecute NoSchedule PreferNoSchedule]: New Pods are not placed (NoSchedule), placed only if need be
    (PreferNoSchedule), or not placed while running ones are ended (NoExecute).
  timeAdded: When it was added.
core.v1.NodeStatus: What a node is, and how it is doing.
  capacity: What the node has, by resource.
  allocatable: What Pods may use of it, by resource. Default: all.
  phase[Pending Running Terminated]: No longer used.
  conditions: The state of the node in aspects: Ready, MemoryPressure and others.
  addresses: How the node is reached.
  daemonEndpoints: The ports of the node's programs.
  nodeInfo: Versions and identities of the node.
  images: The images that are on the node, the largest first.
  volumesInUse: Volumes that are attached and mounted.
  volumesAttached: Volumes that are attached.
  config: No longer used.
  runtimeHandlers: Ways of running containers that the node has.
  features: What the container runtime can do.
  declaredFeatures: What the node says it can do, by name.
core.v1.NodeCondition < any.Condition: One aspect of the state of a node.
  status!: Whether the condition holds: True, False or Unknown.
core.v1.NodeAddress: An address of a node.
  type!: ExternalIP, ExternalDNS, InternalIP, InternalDNS or Hostname.
  address!: The address.
core.v1.NodeDaemonEndpoints: The ports of a node's programs.
  kubeletEndpoint: The port of the node's agent.
core.v1.DaemonEndpoint: A port.
  Port!: The number of the port.
core.v1.NodeSystemInfo: Versions and identities of a node.
  machineID!: The identity of the installed system.
  systemUUID!: The identity of the machine.
  bootID!: The identity of the last start.
  kernelVersion!: The version of the kernel.
  osImage!: The name of the operating system.
  containerRuntimeVersion!: What runs the containers, with its version.
  kubeletVersion!: The version of the node's agent.
  kubeProxyVersion!: The version of the Service proxy. Deprecated: it often was not right.
  operatingSystem!: The kind of operating system, such as "linux".
  architecture!: The kind of processor, such as "amd64".
  swap: Swap space.
core.v1.NodeSwapStatus: Swap space of a node.
  capacity: The size in bytes.
core.v1.ContainerImage: An image on a node.
  names: The names it is known by.
  sizeBytes: Its size in bytes.
core.v1.AttachedVolume: A volume attached to a node.
  name!: The name of the volume.
  devicePath!: The path of the device.
core.v1.NodeConfigSource: No longer used.
  configMap: No longer used.
core.v1.ConfigMapNodeConfigSource: No longer used.
  namespace!: The namespace of the ConfigMap.
  name!: The name of the ConfigMap.
  uid: The uid of the ConfigMap.
  resourceVersion: The state of the ConfigMap.
  kubeletConfigKey!: The key in the ConfigMap.
core.v1.NodeConfigStatus: No longer used.
  assigned: What the node is to use.
  active: What the node uses.
  lastKnownGood: What the node goes back to.
  error: What went wrong.
core.v1.NodeRuntimeHandler: A way of running containers.
  name: Its name; empty for the default.
  features: What it can do.
core.v1.NodeRuntimeHandlerFeatures: What a way of running containers can do.
  recursiveReadOnlyMounts: Whether mounts can be read-only with all below them.
  userNamespaces: Whether Pods can have users of their own.
core.v1.NodeFeatures: What a container runtime can do.
  supplementalGroupsPolicy: Whether it knows supplementalGroupsPolicy.
core.v1.ConfigMap < any.Kind: Settings as keys and values.
  data: Texts by key. Keys consist of letters, digits, "-", "_" and ".".
  binaryData: Bytes by key, in base64. No key may be in data too. Both together at most 1 MiB.
  immutable: Once true, the data cannot change any more, and neither can this. Default false.
core.v1.Secret < any.Kind: Passwords, keys and the like.
  data: Bytes by key, in base64. Keys consist of letters, digits, "-", "_" and ".". At most 1 MiB together.
  stringData: Texts by key that are put into data when written, over what is there. Never read back.
  type: What the Secret is for, such as kubernetes.io/tls, which asks for certain keys. Default Opaque. It cannot change.
  immutable: Once true, the data cannot change any more, and neither can this. Default false.
core.v1.ServiceAccount < any.Kind: Who the programs in a Pod are to the API.
  secrets: Secrets that Pods of the account may use. Enforced only where the account's annotation says so.
  imagePullSecrets: Secrets in the same namespace that images of its Pods are pulled with.
  automountServiceAccountToken: Whether Pods get the account's token mounted. Default true; a Pod may say otherwise.
core.v1.Event < any.Kind: Something that happened to an object. Kept for an hour.
  involvedObject!: The object it happened to.
  related: Another object that has to do with it.
  reason: What happened, in one word in CamelCase.
  message: What happened, for people.
  action: What was done, or what did not work.
  type: Normal or Warning.
  source: Who says so, in the old form.
  reportingComponent: The controller that says so, such as "example.com/controller".
  reportingInstance: Which one of it, such as the Pod's name.
  firstTimestamp: When it happened first.
  lastTimestamp: When it happened last.
  count: How often it happened.
  eventTime: When it happened first, in the new form.
  series: How often and when last, where it goes on. Absent for single events.
core.v1.EventSource: Who says that something happened.
  component: The program.
  host: The node it runs on.
core.v1.EventSeries: How often and when last.
  count: How often.
  lastObservedTime: When last.
events.v1.Event < any.Kind: Something that happened to an object. Kept for an hour.
  eventTime!: When it happened first.
  series: How often and when last, where it goes on. Absent for single events.
  reportingController: The controller that says so, such as "example.com/controller".
  reportingInstance: Which one of it, such as the Pod's name.
  action: What was done, or what did not work.
  reason: What happened, in one word in CamelCase.
  regarding: The object it happened to.
  related: Another object that has to do with it.
  note: What happened, for people, at most 1 kB.
  type: Normal or Warning.
  deprecatedSource: Who says so, in the old form.
  deprecatedFirstTimestamp: When it happened first, in the old form.
  deprecatedLastTimestamp: When it happened last, in the old form.
  deprecatedCount: How often it happened, in the old form.
events.v1.EventSeries: How often and when last.
  count!: How often.
  lastObservedTime!: When last.
coordination.v1.Lease < any.Kind: A claim on something that must be renewed, such as to be the leader.
  spec: Who holds the lease, and until when.
coordination.v1.LeaseSpec: Who holds a lease, and until when.
  holderIdentity: Who holds it.
  leaseDurationSeconds: How long after the last renewal others must wait before they take it. More than 0.
  acquireTime: When it was taken.
  renewTime: When it was last renewed.
  leaseTransitions: How often the holder changed.
  strategy: How the leader is found among candidates, where that is done for them.
  preferredHolder: Who the holder should hand the lease to. Needs strategy.
`;
