/**
 * How values merge: by which key a strategic merge patch (and `kubectl apply`) finds a list's element, by which keys
 * server-side apply does, and what is owned and replaced whole. Facts of upstream's `patchStrategy`, `patchMergeKey`,
 * `listType`, `listMapKey`, `mapType` and `structType` markers; a list that is not listed is replaced whole.
 *
 *     package.Message: field=PATCH[|APPLY]           one rule for both where there is no `|`
 *
 * A rule is `key` (a list of objects; `!` adds retainKeys; server-side apply may have several keys, each with the value
 * that stands for a missing one in brackets), `*` (a set of plain values that merges), `!` (an object whose patches name
 * the keys to retain), `atomic` or nothing (replaced whole).
 */
const text = `
meta.ObjectMeta: ownerReferences=uid finalizers=*
core.v1.PodSpec: containers=name initContainers=name ephemeralContainers=name volumes=name! imagePullSecrets=name
  hostAliases=ip schedulingGates=name resourceClaims=name! nodeSelector=|atomic
  topologySpreadConstraints=topologyKey|topologyKey,whenUnsatisfiable
core.v1.Container: env=name volumeMounts=mountPath volumeDevices=devicePath
  ports=containerPort|containerPort,protocol(TCP)
core.v1.EphemeralContainer: env=name volumeMounts=mountPath volumeDevices=devicePath
  ports=containerPort|containerPort,protocol(TCP)
core.v1.ResourceRequirements: claims=|name
core.v1.ResourceStatus: resources=|resourceID
core.v1.PodStatus: conditions=type podIPs=ip hostIPs=ip|atomic resourceClaimStatuses=name!
core.v1.ContainerStatus: volumeMounts=mountPath
core.v1.NamespaceStatus: conditions=type
core.v1.NodeSpec: podCIDRs=*
core.v1.NodeStatus: conditions=type addresses=type
core.v1.ServiceAccount: secrets=name
core.v1.ServiceSpec: ports=port|port,protocol(TCP) selector=|atomic
core.v1.ServiceStatus: conditions=type
discovery.v1.Endpoint: addresses=|*
apps.v1.DeploymentSpec: strategy=!
apps.v1.DeploymentStatus: conditions=type
apps.v1.ReplicaSetStatus: conditions=type
apps.v1.DaemonSetStatus: conditions=type
networking.v1.ServiceCIDRStatus: conditions=type
admissionregistration.v1.ValidatingWebhookConfiguration: webhooks=name
admissionregistration.v1.ValidatingWebhook: matchConditions=name
`;

/** Messages that are owned and replaced whole wherever they stand (`structType=atomic`). */
const atomicMessages: ReadonlySet<string> = new Set([
  "meta.LabelSelector",
  "meta.OwnerReference",
  "core.v1.ConfigMapKeySelector",
  "core.v1.EndpointAddress",
  "core.v1.EndpointPort",
  "core.v1.FileKeySelector",
  "core.v1.LocalObjectReference",
  "core.v1.NodeSelector",
  "core.v1.NodeSelectorTerm",
  "core.v1.ObjectFieldSelector",
  "core.v1.ObjectReference",
  "core.v1.ResourceFieldSelector",
  "core.v1.SecretKeySelector",
  "core.v1.TypedLocalObjectReference",
  "discovery.v1.EndpointPort",
  "networking.v1.ServiceBackendPort",
  "rbac.v1.RoleRef",
  "rbac.v1.Subject",
]);

/** Whether an object of this message is owned and replaced whole by server-side apply. */
export function isAtomic(messageName: string): boolean {
  return atomicMessages.has(messageName);
}

/** One key of the elements of a list, for server-side apply. */
export interface ApplyKey {
  readonly name: string;
  /** What stands for a key that an element lacks. */
  readonly otherwise?: string;
}

export interface MergeRule {
  /** The key of a strategic merge patch. */
  readonly key?: string;
  /** A strategic merge patch adds to this list of plain values. */
  readonly isSet?: boolean;
  /** Patches may carry `$retainKeys`. */
  readonly retainKeys?: boolean;
  /** What server-side apply makes of it; `keys` for a list of objects. Absent for what only a patch treats specially. */
  readonly apply?: "atomic" | "set" | { readonly keys: readonly ApplyKey[] };
}

let rules: Map<string, Map<string, MergeRule>> | undefined;

/** The rule of a message's field; `undefined` for what is replaced whole, or is no list. */
export function mergeRuleOf(messageName: string, fieldName: string): MergeRule | undefined {
  rules ??= readRules();
  return rules.get(messageName)?.get(fieldName);
}

function readRules(): Map<string, Map<string, MergeRule>> {
  const lines = text.trim().replaceAll("\n  ", " ").split("\n");
  return new Map(
    lines.map((line) => {
      const [name = "", fields = ""] = line.split(": ");
      return [name, new Map(fields.split(" ").map((field) => readRule(field)))];
    }),
  );
}

function readRule(field: string): [string, MergeRule] {
  const [name = "", rule = ""] = field.split("=");
  const [patch = "", apply = patch] = rule.split("|");
  const key = patch.replace(/[!*]/, "");
  return [
    name,
    {
      ...(key === "" ? {} : { key }),
      ...(patch === "*" ? { isSet: true } : {}),
      ...(patch.endsWith("!") ? { retainKeys: true } : {}),
      ...readApplyRule(apply.replace("!", "")),
    },
  ];
}

function readApplyRule(rule: string): Pick<MergeRule, "apply"> {
  if (rule === "") return {};
  if (rule === "atomic") return { apply: "atomic" };
  if (rule === "*") return { apply: "set" };
  const keys = rule.split(",").map((key): ApplyKey => {
    const [, name = "", otherwise] = /^(\w+)(?:\((\w+)\))?$/.exec(key) ?? [];
    return otherwise === undefined ? { name } : { name, otherwise };
  });
  return { apply: { keys } };
}
