import type { Admission } from "#api/admission.ts";
import type { Container, Pod, PodSpec, VolumeProjection } from "#api/core/pod/kind.ts";
import type { ServiceAccount } from "#api/core/serviceaccount/kind.ts";
import { ApiError } from "#api/meta/status.ts";
import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/contract.ts";
import { findSoon } from "./find-soon.ts";

/** Where programs look for the token, the CA and the namespace. */
export const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const volumePrefix = "kube-api-access-";
/** An hour, and a little that shows who asked for it. */
const tokenSeconds = 3607;
/** A new namespace gets its default account a moment after it is made. */
const patienceMs = 2000;

/**
 * Gives new Pods what their ServiceAccount has: its pull secrets, and a volume with a token, the CA of the API server and
 * the namespace (upstream: `plugin/pkg/admission/serviceaccount`). A Pod whose account is not there is refused.
 * `nameSuffix` makes five random characters for the volume's name.
 */
export function createServiceAccountAdmission(options: {
  client: () => Pick<Client, "get" | "list" | "watch">;
  clock: Clock;
  nameSuffix: () => string;
}): Admission {
  return {
    name: "service-account",
    kinds: ["Pod"],
    async admit({ operation, object, subresource }) {
      if (operation !== "CREATE" || subresource !== undefined) return;
      const pod = object as Pod;
      const { name, namespace = "" } = pod.metadata;
      const accountName = pod.spec.serviceAccountName ?? "default";
      const waitMs = accountName === "default" ? patienceMs : 0;
      const key = { namespace, name: accountName };
      const account = await findSoon(options.client(), "ServiceAccount", key, { clock: options.clock, waitMs });
      if (account === undefined) {
        const why = `error looking up service account ${namespace}/${accountName}: serviceaccount "${accountName}" not found`;
        throw new ApiError("Forbidden", `pods "${name}" is forbidden: ${why}`, { name, kind: "pods" });
      }
      furnish(pod.spec, account, options.nameSuffix);
    },
  };
}

function furnish(spec: PodSpec, account: ServiceAccount, nameSuffix: () => string): void {
  const { imagePullSecrets = [], automountServiceAccountToken: byAccount = true } = account;
  if ((spec.imagePullSecrets ?? []).length === 0 && imagePullSecrets.length > 0) {
    spec.imagePullSecrets = imagePullSecrets.map((secret) => ({ ...secret }));
  }
  if (spec.automountServiceAccountToken ?? byAccount) mountToken(spec, nameSuffix);
}

function mountToken(spec: PodSpec, nameSuffix: () => string): void {
  const hasMount = ({ volumeMounts = [] }: Container) => volumeMounts.some((mount) => mount.mountPath === mountPath);
  const without = [...(spec.initContainers ?? []), ...spec.containers].filter((container) => !hasMount(container));
  if (without.length === 0) return;
  const before = spec.volumes?.find(({ name }) => name.startsWith(volumePrefix));
  const name = before?.name ?? `${volumePrefix}${nameSuffix()}`;
  for (const container of without) {
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }];
  }
  if (before !== undefined) return;
  const sources: VolumeProjection[] = [
    { serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
    { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    {
      downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] },
    },
  ];
  spec.volumes = [...(spec.volumes ?? []), { name, projected: { sources, defaultMode: 0o644 } }];
}
