import type { Pod } from "#api/core/pod/kind.ts";
import type { PodDeps } from "./deps.ts";

interface TokenSource {
  serviceAccountToken?: { audience?: string; expirationSeconds?: number };
}

/** The service account tokens that a pod's projected volumes ask for, by audience; empty where nobody gives any. */
export async function fetchTokens({ requestToken }: PodDeps, pod: Pod): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>();
  if (requestToken === undefined) return tokens;
  const sources = (pod.spec.volumes ?? []).flatMap(({ projected }) => (projected?.sources ?? []) as TokenSource[]);
  for (const { serviceAccountToken } of sources) {
    if (serviceAccountToken === undefined) continue;
    const { audience = "", expirationSeconds } = serviceAccountToken;
    const token = await requestToken({
      namespace: pod.metadata.namespace ?? "default",
      serviceAccount: pod.spec.serviceAccountName ?? "default",
      pod: { name: pod.metadata.name, uid: pod.metadata.uid ?? "" },
      ...(audience === "" ? {} : { audience }),
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
    });
    tokens.set(audience, token);
  }
  return tokens;
}
