import type { Container, Pod, PodSpec } from "./kind.ts";

/** An object of the pod's own namespace that it is given contents of. */
export interface PodReference {
  readonly kind: "Secret" | "ConfigMap";
  readonly name: string;
}

/** The Secrets and ConfigMaps a pod names, each once (upstream: `VisitPodSecretNames`, `VisitPodConfigmapNames`). */
export function referencesOf({ spec }: Pod): readonly PodReference[] {
  const secrets = new Set<string | undefined>((spec.imagePullSecrets ?? []).map(({ name }) => name));
  const configMaps = new Set<string | undefined>();
  const add = ({ secret, configMap }: { secret?: string | undefined; configMap?: string | undefined }) => {
    secrets.add(secret);
    configMaps.add(configMap);
  };
  for (const { env = [], envFrom = [] } of containersOf(spec)) {
    for (const { secretRef, configMapRef } of envFrom) add({ secret: secretRef?.name, configMap: configMapRef?.name });
    for (const { valueFrom } of env) {
      add({ secret: valueFrom?.secretKeyRef?.name, configMap: valueFrom?.configMapKeyRef?.name });
    }
  }
  for (const { secret, configMap, projected } of spec.volumes ?? []) {
    add({ secret: secret?.secretName, configMap: configMap?.name });
    for (const source of projected?.sources ?? [])
      add({ secret: source.secret?.name, configMap: source.configMap?.name });
  }
  const named = (kind: PodReference["kind"], names: ReadonlySet<string | undefined>): PodReference[] =>
    [...names].flatMap((name) => (name === undefined || name === "" ? [] : [{ kind, name }]));
  return [...named("Secret", secrets), ...named("ConfigMap", configMaps)];
}

function containersOf(spec: PodSpec): readonly Container[] {
  const { ephemeralContainers = [] } = spec as { ephemeralContainers?: Container[] };
  return [...(spec.initContainers ?? []), ...spec.containers, ...ephemeralContainers];
}
