/**
 * The floors of the house. A folder imports itself and lower floors only; siblings on one floor never import each
 * other. `test/architecture/floors.test.ts` reads this table and holds every import against it.
 */
export const floors: readonly (readonly string[])[] = [
  ["base", "wire"],
  ["api", "dataplane"],
  ["store", "client", "routing"],
  ["apiserver", "controllers", "node", "proxy", "dns", "ingress", "loadbalancer"],
  ["insight"],
  ["roles"],
  ["cli"],
];

/**
 * The few agreed exceptions: who may import which sibling, and why. `wire` speaks only in bytes, so it needs nothing;
 * everything that would need an exception here should first be asked to move down a floor.
 */
export const exceptions: Readonly<Record<string, readonly string[]>> = {};

/** The floor number of a top folder of `src/`, or `undefined` for files that stand beside the folders. */
export function floorOf(folder: string): number | undefined {
  const floor = floors.findIndex((folders) => folders.includes(folder));
  return floor === -1 ? undefined : floor;
}
