/**
 * How lists merge: by which key a strategic merge patch (and `kubectl apply`) finds an element, by which keys server-side
 * apply does. Facts of upstream's `patchStrategy`, `patchMergeKey` and `listMapKeys` markers; what is not listed is
 * replaced whole.
 *
 *     package.Message: field=key[,applyKey…][!]      a list of objects; `!` adds retainKeys
 *     package.Message: field=*                       a set of plain values that merges
 *     package.Message: field=!                       an object whose patches name the keys to retain
 */
const text = `
meta.ObjectMeta: ownerReferences=uid finalizers=*
core.v1.PodSpec: containers=name initContainers=name ephemeralContainers=name volumes=name! imagePullSecrets=name
  hostAliases=ip schedulingGates=name resourceClaims=name! topologySpreadConstraints=topologyKey,whenUnsatisfiable
core.v1.Container: env=name volumeMounts=mountPath volumeDevices=devicePath ports=containerPort,protocol
core.v1.EphemeralContainer: env=name volumeMounts=mountPath volumeDevices=devicePath ports=containerPort,protocol
core.v1.PodStatus: conditions=type podIPs=ip hostIPs=ip
core.v1.ContainerStatus: volumeMounts=mountPath
core.v1.NamespaceStatus: conditions=type
core.v1.NodeSpec: podCIDRs=*
core.v1.NodeStatus: conditions=type addresses=type
core.v1.ServiceAccount: secrets=name
core.v1.ServiceSpec: ports=port,protocol
core.v1.ServiceStatus: conditions=type
apps.v1.DeploymentSpec: strategy=!
apps.v1.DeploymentStatus: conditions=type
apps.v1.ReplicaSetStatus: conditions=type
`;

export interface MergeRule {
  /** The key of a strategic merge patch. */
  readonly key?: string;
  /** The keys of server-side apply, which are one more where ports of two protocols share a number. */
  readonly applyKeys?: readonly string[];
  /** A list of plain values that is added to. */
  readonly isSet?: boolean;
  /** Patches may carry `$retainKeys`. */
  readonly retainKeys?: boolean;
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
  if (rule === "*") return [name, { isSet: true }];
  if (rule === "!") return [name, { retainKeys: true }];
  const retainKeys = rule.endsWith("!");
  const keys = rule.replace("!", "").split(",");
  const more = retainKeys ? { retainKeys } : {};
  return [name, { key: keys[0] ?? "", applyKeys: keys, ...more }];
}
