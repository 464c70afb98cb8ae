import type { Container, Pod, PodSpec, PodTemplateSpec, Probe, Toleration, Volume } from "./kind.ts";
import { qosClass } from "./qos.ts";

/** The defaults of core/v1 Pods (upstream: pkg/apis/core/v1/defaults.go), and what admission adds to all of them. */
export function defaultPod(pod: Pod): void {
  pod.spec ??= { containers: [] };
  pod.status ??= {};
  pod.status.phase ||= "Pending";
  defaultPodSpec(pod.spec);
  pod.spec.enableServiceLinks ??= true;
}

export function defaultPodTemplate(template: PodTemplateSpec): void {
  defaultPodSpec(template.spec);
}

/** What only a pod itself gets, not its template: an account, a priority, and patience with a node that is away. */
export function prepareNewPod(pod: Pod): void {
  const { spec } = pod;
  spec.serviceAccountName ||= "default";
  spec.serviceAccount = spec.serviceAccountName;
  spec.priority ??= 0;
  spec.preemptionPolicy ??= "PreemptLowerPriority";
  for (const taint of ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]) {
    if (!(spec.tolerations ?? []).some((toleration) => tolerates(toleration, taint))) {
      const toleration: Toleration = { key: taint, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 };
      spec.tolerations = [...(spec.tolerations ?? []), toleration];
    }
  }
  pod.status = { phase: "Pending", qosClass: qosClass(spec) };
}

function tolerates({ key, effect }: Toleration, taint: string): boolean {
  return (!key || key === taint) && (!effect || effect === "NoExecute");
}

function defaultPodSpec(spec: PodSpec): void {
  spec.restartPolicy ||= "Always";
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ||= "ClusterFirst";
  spec.schedulerName ||= "default-scheduler";
  spec.securityContext ??= {};
  if (spec.serviceAccount && !spec.serviceAccountName) spec.serviceAccountName = spec.serviceAccount;
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  spec.containers ??= [];
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    defaultContainer(container, spec.hostNetwork === true);
  }
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
}

function defaultContainer(container: Container, hostNetwork: boolean): void {
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  container.imagePullPolicy ||= isLatest(container.image ?? "") ? "Always" : "IfNotPresent";
  container.resources ??= {};
  const { limits, requests } = container.resources;
  if (limits !== undefined) container.resources.requests = { ...limits, ...requests };
  for (const port of container.ports ?? []) {
    port.protocol ||= "TCP";
    if (hostNetwork) port.hostPort ??= port.containerPort;
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ||= "v1";
    if (valueFrom?.resourceFieldRef !== undefined) valueFrom.resourceFieldRef.divisor ??= "0";
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe !== undefined) defaultProbe(probe);
  }
  for (const action of [container.lifecycle?.postStart, container.lifecycle?.preStop]) {
    if (action?.httpGet !== undefined) defaultHttpGet(action.httpGet);
  }
}

function isLatest(image: string): boolean {
  if (image.includes("@")) return false;
  const tag = /:([^/:]+)$/.exec(image)?.[1];
  return tag === undefined || tag === "latest";
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.httpGet !== undefined) defaultHttpGet(probe.httpGet);
  if (probe.grpc !== undefined) probe.grpc.service ??= "";
}

function defaultHttpGet(action: NonNullable<Probe["httpGet"]>): void {
  action.path ||= "/";
  action.scheme ||= "HTTP";
}

/** File modes are 0644 unless given. */
function defaultVolume(volume: Volume): void {
  for (const source of [volume.configMap, volume.secret, volume.projected, volume.downwardAPI]) {
    if (source !== undefined) source.defaultMode ??= 0o644;
  }
  const projected = (volume.projected?.sources ?? []).flatMap(({ downwardAPI }) => downwardAPI?.items ?? []);
  for (const item of [...(volume.downwardAPI?.items ?? []), ...projected]) {
    if (item.fieldRef !== undefined) item.fieldRef.apiVersion ||= "v1";
  }
  for (const { serviceAccountToken } of volume.projected?.sources ?? []) {
    if (serviceAccountToken !== undefined) serviceAccountToken.expirationSeconds ??= 3600;
  }
  if (volume.hostPath !== undefined) volume.hostPath.type ??= "";
  const others = Object.keys(volume).filter((key) => key !== "name");
  if (others.length === 0) volume.emptyDir = {};
}
