import type { Pod, VolumeProjection } from "#api/core/pod/kind.ts";
import type { PodDeps } from "./deps.ts";

type TokenSource = NonNullable<VolumeProjection["serviceAccountToken"]>;

/** The tokens that a pod's projected volumes ask for, kept fresh. */
export interface PodTokens {
  /** The token of a source; `undefined` until `renew` has been there. */
  get(source: TokenSource): string | undefined;
  /** In how many milliseconds to call `renew`, 0 when it is time; `undefined` where there is nothing to do. */
  dueIn(): number | undefined;
  /** Gets what is missing or nears its end. Rejects when nobody gives a token; those there are stay. */
  renew(): Promise<void>;
}

interface Held {
  readonly token: string;
  readonly renewAt: number;
}

/** As the kubelet does it: after four fifths of a token's time, and after a day at the latest. */
const usedShare = 0.8;
const longestMs = 24 * 3600 * 1000;

export function createPodTokens({ requestToken, clock }: Pick<PodDeps, "requestToken" | "clock">, pod: Pod): PodTokens {
  const held = new Map<string, Held>();
  const projections = (pod.spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  const wished = new Map(
    projections.flatMap(({ serviceAccountToken: source }) =>
      source === undefined || requestToken === undefined ? [] : [[keyOf(source), source] as const],
    ),
  );
  const timesOf = () => [...wished.keys()].map((key) => held.get(key)?.renewAt ?? 0);

  async function fetch({ audience = "", expirationSeconds }: TokenSource): Promise<Held | undefined> {
    const asked = clock.now();
    const given = await requestToken?.({
      namespace: pod.metadata.namespace ?? "default",
      serviceAccount: pod.spec.serviceAccountName ?? "default",
      pod: { name: pod.metadata.name, uid: pod.metadata.uid ?? "" },
      ...(audience === "" ? {} : { audience }),
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
    });
    if (given === undefined) return undefined;
    const lastsMs = Math.max(0, given.expiresAt - asked);
    return { token: given.token, renewAt: asked + Math.min(lastsMs * usedShare, longestMs) };
  }

  return {
    get: (source) => held.get(keyOf(source))?.token,
    dueIn: () => (wished.size === 0 ? undefined : Math.max(0, Math.min(...timesOf()) - clock.now())),
    async renew() {
      for (const [key, source] of wished) {
        if ((held.get(key)?.renewAt ?? 0) > clock.now()) continue;
        const fresh = await fetch(source);
        if (fresh !== undefined) held.set(key, fresh);
      }
    },
  };
}

function keyOf({ audience = "", expirationSeconds = 0 }: TokenSource): string {
  return `${expirationSeconds} ${audience}`;
}
