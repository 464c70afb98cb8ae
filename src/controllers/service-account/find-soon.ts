import type { ObjectKey } from "#api/meta/object.ts";
import type { KindName, KindTypes } from "#api/types.ts";
import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/contract.ts";

/** The object, or the one that appears within `waitMs`; `undefined` when none does. */
export async function findSoon<K extends KindName>(
  client: Pick<Client, "get" | "list" | "watch">,
  kind: K,
  key: ObjectKey,
  { clock, waitMs }: { clock: Clock; waitMs: number },
): Promise<KindTypes[K] | undefined> {
  const now = await client.get(kind, key);
  if (now !== undefined || waitMs === 0) return now;
  const { name, namespace } = key;
  const scope = { ...(namespace === undefined ? {} : { namespace }), fieldSelector: `metadata.name=${name}` };
  const { items, resourceVersion: since } = await client.list(kind, scope);
  if (items[0] !== undefined) return items[0];
  return new Promise((resolve) => {
    const finish = (found: KindTypes[K] | undefined) => {
      cancel();
      stop();
      resolve(found);
    };
    const cancel = clock.after(waitMs, () => finish(undefined));
    const stop = client.watch(
      kind,
      { ...scope, since },
      {
        event: ({ object }) => finish(object),
        end: () => finish(undefined),
      },
    );
  });
}
