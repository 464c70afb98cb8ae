import { keyText, type KubeObject } from "#api/meta/object.ts";
import type { KindName } from "#api/types.ts";
import type { Registry } from "./registry.ts";

/**
 * Tells of every object of a kind as it is now and whenever it changes, `undefined` when it is gone: a write that has been
 * answered has been told. Resolves when all that was there has been told. What went while changes were missed is told as
 * gone.
 */
export function followKind(
  registry: Registry,
  kind: KindName,
  change: (key: string, object: KubeObject | undefined) => void,
): Promise<void> {
  return new Promise((resolve) => {
    let known = new Set<string>();
    const begin = () => {
      const before = known;
      known = new Set();
      registry.watch(
        kind,
        {},
        {
          event(type, { object }) {
            const key = keyText(object.metadata);
            const isGone = type === "DELETED";
            if (isGone) known.delete(key);
            else known.add(key);
            change(key, isGone ? undefined : object);
          },
          started() {
            for (const key of before) if (!known.has(key)) change(key, undefined);
            resolve();
          },
          expired: begin,
        },
      );
    };
    begin();
  });
}
