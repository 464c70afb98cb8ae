import { addressAt, formatAddress, parseCidr, type Cidr } from "#base/cidr.ts";
import type { Deployment } from "#api/apps/deployment/kind.ts";
import type { Endpoints } from "#api/core/endpoints/kind.ts";
import type { Node } from "#api/core/node/kind.ts";
import type { Pod, PodTemplateSpec } from "#api/core/pod/kind.ts";
import { defaultService } from "#api/core/service/defaults.ts";
import type { Service } from "#api/core/service/kind.ts";
import { serviceNameLabel, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { keyOf, type KubeObject } from "#api/meta/object.ts";
import { matchesPairs } from "#api/meta/selector.ts";
import { compileMirrored, isMirrored } from "#controllers/endpointslice-mirroring/compile.ts";
import { compileEndpoints, type EndpointGroup } from "#controllers/endpointslice/compile.ts";

/** What the service proxy reads of a cluster. */
export interface ServiceObjects {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
}

export interface Assumed extends ServiceObjects {
  /** What the manifests leave to a cluster and was made up, a sentence each. */
  readonly notes: readonly string[];
}

export interface Assuming {
  readonly serviceCidr: string;
  readonly podCidr: string;
  /** The node that pods are taken to run on. */
  readonly node: string;
}

const firstNodePort = 30_000;
/** Pods of one manifest that get an address each; more make no other rules. */
const mostPods = 1000;

/**
 * The Services and slices that a cluster would make of manifests, without one: cluster IPs, node ports and pods' addresses
 * that the manifests leave open are the next free ones, and every pod is taken to be ready. Pure; objects of other kinds
 * are left out.
 */
export function assumeCluster(objects: readonly KubeObject[], { serviceCidr, podCidr, node }: Assuming): Assumed {
  const inNamespace = objects.map((object) => ({
    ...object,
    metadata: { ...object.metadata, namespace: object.metadata.namespace ?? "default" },
  }));
  const ofKind = <T>(kind: string) => inNamespace.filter((object) => object.kind === kind) as unknown as T[];
  const notes: string[] = [];
  const services = assumeServices(ofKind<Service>("Service"), serviceCidr, notes);
  const pods = assumePods(ofKind<Pod>("Pod"), workloadsOf(inNamespace), { podCidr, node, notes });
  const given = ofKind<EndpointSlice>("EndpointSlice");
  const named = new Set(given.map(({ metadata }) => `${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}`));
  const nodeObject = { apiVersion: "v1", kind: "Node", metadata: { name: node } } as Node;
  const made = services.flatMap((service) => {
    const { selector } = service.spec;
    if (named.has(keyOf(service)) || selector === undefined) return [];
    const { namespace } = service.metadata;
    const chosen = pods.filter(
      ({ metadata }) => metadata.namespace === namespace && matchesPairs(selector, metadata.labels),
    );
    const { groups } = compileEndpoints(
      service,
      chosen,
      () => nodeObject,
      () => "no zones are known",
    );
    return groups.map((group, index) => sliceOf(service.metadata, index, group));
  });
  const mirrored = ofKind<Endpoints>("Endpoints").flatMap((endpoints) => {
    const service = services.find((service) => keyOf(service) === keyOf(endpoints));
    if (service === undefined || service.spec.selector !== undefined || !isMirrored(endpoints)) return [];
    const { groups, invalid } = compileMirrored(endpoints);
    for (const text of invalid) notes.push(`Endpoints ${keyOf(endpoints)}: ${JSON.stringify(text)} is no address`);
    return groups.map((group, index) => sliceOf(endpoints.metadata, index, group));
  });
  return { services, slices: [...given, ...made, ...mirrored], notes };
}

function assumeServices(given: readonly Service[], serviceCidr: string, notes: string[]): Service[] {
  const taken = new Set(given.flatMap(({ spec }) => spec.clusterIPs ?? spec.clusterIP ?? []));
  const ports = new Set(given.flatMap(({ spec }) => (spec.ports ?? []).flatMap(({ nodePort }) => nodePort ?? [])));
  const next = addressesOf(serviceCidr, 257n, taken);
  let port = firstNodePort;
  return given.map((original) => {
    const service = structuredClone(original);
    defaultService(service);
    const { spec } = service;
    const made: string[] = [];
    if (spec.type !== "ExternalName" && (spec.clusterIP ?? "") === "") {
      spec.clusterIP = next();
      spec.clusterIPs = [spec.clusterIP];
      made.push(`cluster IP ${spec.clusterIP}`);
    }
    const needsPort =
      spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
    for (const entry of needsPort ? (spec.ports ?? []) : []) {
      if (entry.nodePort !== undefined && entry.nodePort !== 0) continue;
      while (ports.has(port)) port += 1;
      ports.add(port);
      entry.nodePort = port;
      made.push(`node port ${port}`);
    }
    if (made.length > 0) notes.push(`Service ${keyOf(service)} is given ${made.join(" and ")}`);
    return service;
  });
}

interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly replicas: number;
  readonly template: PodTemplateSpec;
}

function workloadsOf(objects: readonly KubeObject[]): Workload[] {
  return objects.flatMap(({ kind, metadata, ...rest }) => {
    if (!["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"].includes(kind)) return [];
    const { spec } = rest as unknown as Pick<Deployment, "spec">;
    if (spec?.template?.spec === undefined) return [];
    const { name, namespace = "default" } = metadata;
    return [
      { kind, name, namespace, replicas: kind === "DaemonSet" ? 1 : (spec.replicas ?? 1), template: spec.template },
    ];
  });
}

function assumePods(
  given: readonly Pod[],
  workloads: readonly Workload[],
  { podCidr, node, notes }: { podCidr: string; node: string; notes: string[] },
): Pod[] {
  const next = addressesOf(podCidr, 1n, new Set(given.flatMap(({ status }) => status?.podIP ?? [])));
  const running = (metadata: Pod["metadata"], spec: Pod["spec"], podIP: string): Pod => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { ...spec, nodeName: spec.nodeName ?? node },
    status: { phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions: [{ type: "Ready", status: "True" }] },
  });
  const pods = given.map((pod) => running(pod.metadata, pod.spec, pod.status?.podIP ?? next()));
  for (const { kind, name, namespace, replicas, template } of workloads) {
    const count = Math.min(replicas, mostPods);
    if (count > 0)
      notes.push(`${kind} ${namespace}/${name} is taken to have ${count} ready ${count === 1 ? "pod" : "pods"}`);
    for (let index = 0; index < count; index += 1) {
      pods.push(running({ ...template.metadata, name: `${name}-${index}`, namespace }, template.spec, next()));
    }
  }
  return pods;
}

/** The free addresses of a range, one after the other. */
function addressesOf(text: string, start: bigint, taken: ReadonlySet<string>): () => string {
  const cidr = parseCidr(text.split(",")[0] ?? "") as Cidr;
  let offset = start;
  return () => {
    for (;;) {
      const address = formatAddress(addressAt(cidr, offset));
      offset += 1n;
      if (!taken.has(address)) return address;
    }
  };
}

function sliceOf(
  { name, namespace = "default" }: { name: string; namespace?: string },
  index: number,
  { addressType, ports, endpoints }: EndpointGroup,
): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${name}-${index + 1}`, namespace, labels: { [serviceNameLabel]: name } },
    addressType,
    endpoints: [...endpoints],
    ports: [...ports],
  };
}
