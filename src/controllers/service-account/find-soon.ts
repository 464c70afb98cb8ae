import type { ObjectKey } from "#api/meta/object.ts";
import type { KindName, KindTypes } from "#api/types.ts";
import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/contract.ts";

/** The object, or the one that appears within `waitMs`; `undefined` when none does. */
export async function findSoon<K extends KindName>(
  client: Pick<Client, "get" | "watch">,
  kind: K,
  key: ObjectKey,
  { clock, waitMs }: { clock: Clock; waitMs: number },
): Promise<KindTypes[K] | undefined> {
  const now = await client.get(kind, key);
  if (now !== undefined || waitMs === 0) return now;
  return new Promise((resolve) => {
    const scope = {
      ...(key.namespace === undefined ? {} : { namespace: key.namespace }),
      fieldSelector: `metadata.name=${key.name}`,
      since: "",
    };
    const finish = (found: KindTypes[K] | undefined) => {
      cancel();
      stop();
      resolve(found);
    };
    const cancel = clock.after(waitMs, () => finish(undefined));
    const stop = client.watch(kind, scope, {
      event: ({ type, object }) => finish(type === "DELETED" ? undefined : object),
      end: () => finish(undefined),
    });
  });
}
