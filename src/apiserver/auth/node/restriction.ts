import type { Admission, AdmissionRequest } from "#api/admission.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import type { Node } from "#api/core/node/kind.ts";
import { referencesOf } from "#api/core/pod/references.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { resources } from "#api/resources.ts";
import { sameValue } from "#base/value.ts";
import { forbidden } from "../../registry/errors.ts";
import { nodeOf } from "./identity.ts";

const mirror = "kubernetes.io/config.mirror";
const leaseNamespace = "kube-node-lease";

/** Labels of the project's own domains that an agent may set on its Node (upstream: `kubelet/pkg/apis/well_known_labels.go`). */
const kubeletLabels = new Set([
  "kubernetes.io/hostname",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "beta.kubernetes.io/instance-type",
  "node.kubernetes.io/instance-type",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
  "kubernetes.io/os",
  "kubernetes.io/arch",
]);
const kubeletDomains = ["kubelet.kubernetes.io", "node.kubernetes.io"];
const restricted = "node-restriction.kubernetes.io";

/**
 * A node writes what is its own only: its Node, its Lease, the status of its pods; in upstream's words
 * (`plugin/pkg/admission/noderestriction/admission.go`). Requests for tokens are looked at where they are answered.
 */
export function createNodeRestriction(findNode: (name: string) => KubeObject | undefined): Admission {
  return {
    name: "NodeRestriction",
    kinds: ["Pod", "Node", "Lease"],
    admit(request) {
      const node = nodeOf(request.user);
      if (node === undefined) return;
      const why = node === "" ? `could not determine node from user "${request.user.name}"` : refusal(node, request);
      if (why !== undefined) throw forbidden(resources[request.kind], request.object.metadata.name, why);
    },
  };

  function refusal(node: string, request: AdmissionRequest): string | undefined {
    if (request.kind === "Pod") return refusePod(node, request, findNode(node)?.metadata.uid);
    return request.kind === "Node" ? refuseNode(node, request) : refuseLease(node, request);
  }
}

/** Why a node may not write a pod so; `undefined` when it may. */
function refusePod(node: string, request: AdmissionRequest, uid: string | undefined): string | undefined {
  const { operation, subresource } = request;
  const pod = request.object as Pod;
  const before = request.before as Pod | undefined;
  if (operation === "DELETE") {
    return pod.spec.nodeName === node
      ? undefined
      : `node "${node}" can only delete pods with spec.nodeName set to itself`;
  }
  if (subresource === "status") {
    if (before?.spec.nodeName !== node) {
      return `node "${node}" can only update pod status for pods with spec.nodeName set to itself`;
    }
    const same = sameValue(before.metadata.labels ?? {}, pod.metadata.labels ?? {});
    return same ? undefined : `node "${node}" cannot update labels through pod status`;
  }
  if (subresource !== undefined) {
    return `unexpected pod subresource "${subresource}", only 'status' and 'eviction' are allowed`;
  }
  if (operation === "UPDATE") {
    return `unexpected operation "UPDATE", node "${node}" can only create and delete mirror pods`;
  }
  return refuseMirror(node, pod, uid);
}

function refuseMirror(node: string, pod: Pod, uid: string | undefined): string | undefined {
  const { annotations = {}, ownerReferences = [] } = pod.metadata;
  if (annotations[mirror] === undefined) {
    return `pod does not have "${mirror}" annotation, node "${node}" can only create mirror pods`;
  }
  const only = (what: string) => `node "${node}" can only create pods with ${what} set to itself`;
  if (pod.spec.nodeName !== node) return only("spec.nodeName");
  if (ownerReferences.length > 1) return only("a single owner reference");
  const [owner] = ownerReferences;
  if (owner?.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== node) return only("an owner reference");
  if (owner.controller !== true) return only("a controller owner reference");
  if (owner.blockOwnerDeletion === true) {
    return `node "${node}" must not set blockOwnerDeletion on an owner reference`;
  }
  if (owner.uid !== uid) return `node ${node} UID mismatch: expected ${owner.uid} got ${uid ?? ""}`;
  const cannot = (what: string) => `node "${node}" can not create pods that reference ${what}`;
  // Defaulting has named one where the node named none; a mirror pod gives no right to it.
  if ((pod.spec.serviceAccountName || "default") !== "default") return cannot("a service account");
  const references = referencesOf(pod);
  if (references.some(({ kind }) => kind === "Secret")) return cannot("secrets");
  return references.length > 0 ? cannot("configmaps") : undefined;
}

function refuseNode(node: string, { operation, object, before }: AdmissionRequest): string | undefined {
  const { name, labels } = object.metadata;
  if (name !== node) return `node "${node}" is not allowed to modify node "${name}"`;
  if (operation === "DELETE") return undefined;
  if (operation === "UPDATE" && !sameValue((object as Node).spec?.taints, (before as Node).spec?.taints)) {
    return `node "${node}" is not allowed to modify taints`;
  }
  const others = changedKeys(labels, before?.metadata.labels).filter((key) => !isOwnLabel(key));
  if (others.length === 0) return undefined;
  const list = others.sort().join(", ");
  if (operation === "CREATE") return `node "${node}" is not allowed to set the following labels: ${list}`;
  return `is not allowed to modify labels: ${list}`;
}

function refuseLease(node: string, { object }: AdmissionRequest): string | undefined {
  const { namespace, name } = object.metadata;
  if (namespace !== leaseNamespace) return `can only access leases in the "${leaseNamespace}" system namespace`;
  return name === node ? undefined : "can only access node lease with the same name as the requesting node";
}

type Labels = Readonly<Record<string, string>>;

function changedKeys(after: Labels = {}, before: Labels = {}): string[] {
  return [...new Set([...Object.keys(after), ...Object.keys(before)])].filter((key) => after[key] !== before[key]);
}

const isWithin = (namespace: string, domain: string) => namespace === domain || namespace.endsWith(`.${domain}`);

function isOwnLabel(key: string): boolean {
  const namespace = key.includes("/") ? key.slice(0, key.indexOf("/")) : "";
  if (isWithin(namespace, restricted)) return false;
  if (!isWithin(namespace, "kubernetes.io") && !isWithin(namespace, "k8s.io")) return true;
  return kubeletLabels.has(key) || kubeletDomains.some((domain) => isWithin(namespace, domain));
}
