import { serviceNameLabel, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { createManyIndex } from "./many.ts";
import { dropNulls } from "./nulls.ts";

/** EndpointSlices by the Service they belong to. */
export interface SliceIndex {
  /** Takes a slice in, changes it, or lets it go; tells each Service, `NAMESPACE/NAME`, whose slices this changes. */
  set(key: string, slice: EndpointSlice | undefined, touched: (service: string) => void): void;
  /** In the order of their keys. */
  of(service: string): EndpointSlice[];
}

export function createSliceIndex(): SliceIndex {
  const slices = new Map<string, EndpointSlice>();
  const keysOf = createManyIndex();
  return {
    set(key, told, touched) {
      const after = dropNulls(told);
      for (const [slice, link] of [
        [slices.get(key), keysOf.remove],
        [after, keysOf.add],
      ] as const) {
        const name = slice?.metadata.labels?.[serviceNameLabel];
        if (slice === undefined || name === undefined) continue;
        const service = `${slice.metadata.namespace}/${name}`;
        link(service, key);
        touched(service);
      }
      if (after === undefined) slices.delete(key);
      else slices.set(key, after);
    },
    of: (service) => [...keysOf.of(service)].sort().flatMap((key) => slices.get(key) ?? []),
  };
}
