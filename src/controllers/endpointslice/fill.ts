import { isDeepStrictEqual } from "node:util";
import type { EndpointSlice, SliceEndpoint, SlicePort } from "#api/discovery/endpointslice/kind.ts";
import { groupKey, type EndpointGroup } from "./compile.ts";

/** A slice's content without its metadata. */
export interface SliceContent {
  readonly addressType: EndpointSlice["addressType"];
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SliceChanges {
  readonly create: readonly SliceContent[];
  readonly update: readonly { readonly slice: EndpointSlice; readonly content: SliceContent }[];
  readonly remove: readonly EndpointSlice[];
  /** Slices that stay as they are. */
  readonly keep: readonly EndpointSlice[];
}

/**
 * Fits the wanted endpoints into the existing slices with few writes (upstream's `reconcileByPortMapping`): drop and
 * refresh in place, fill slices that change anyway (fullest first), then one unchanged slice that takes all the rest,
 * then new slices. Slices are never rebalanced. A family that would have no slice keeps an empty placeholder, and a slice
 * to create takes the place of one to remove.
 */
export function compileSlices(
  existing: readonly EndpointSlice[],
  { groups, families }: { groups: readonly EndpointGroup[]; families: readonly EndpointSlice["addressType"][] },
  maxEndpoints: number,
): SliceChanges {
  const slices = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    const key = groupKey(slice.addressType, slice.ports ?? []);
    slices.set(key, [...(slices.get(key) ?? []), slice]);
  }
  const wanted = new Map(groups.map((group) => [groupKey(group.addressType, group.ports), group]));
  const all: MutableChanges = { create: [], update: [], remove: [], keep: [] };
  for (const [key, group] of wanted) fillGroup(slices.get(key) ?? [], group, maxEndpoints, all);
  for (const [key, found] of slices) if (!wanted.has(key)) all.remove.push(...found);
  for (const family of families) addPlaceholder(family, all);
  return pairCreatesWithRemoves(all);
}

interface MutableChanges {
  create: SliceContent[];
  update: { slice: EndpointSlice; content: SliceContent }[];
  remove: EndpointSlice[];
  keep: EndpointSlice[];
}

function fillGroup(existing: readonly EndpointSlice[], group: EndpointGroup, max: number, out: MutableChanges): void {
  const { addressType, ports } = group;
  const missing = new Map(group.endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const changed: { slice: EndpointSlice; endpoints: SliceEndpoint[] }[] = [];
  let unchanged: EndpointSlice[] = [];
  for (const slice of existing) {
    const endpoints: SliceEndpoint[] = [];
    for (const endpoint of slice.endpoints ?? []) {
      const next = missing.get(endpointKey(endpoint));
      if (next === undefined) continue;
      missing.delete(endpointKey(endpoint));
      endpoints.push(isDeepStrictEqual(next, endpoint) ? endpoint : next);
    }
    if (isDeepStrictEqual(endpoints, slice.endpoints)) unchanged.push(slice);
    else if (endpoints.length === 0) out.remove.push(slice);
    else changed.push({ slice, endpoints });
  }
  const rest = [...missing.values()];
  for (const { endpoints } of changed.sort((a, b) => b.endpoints.length - a.endpoints.length)) {
    if (endpoints.length < max) endpoints.push(...rest.splice(0, max - endpoints.length));
  }
  while (rest.length > 0) {
    const fitting = rest.length < max ? fullestWithRoom(unchanged, rest.length, max) : undefined;
    if (fitting === undefined) out.create.push({ addressType, ports, endpoints: rest.splice(0, max) });
    else {
      unchanged = unchanged.filter((slice) => slice !== fitting);
      changed.push({ slice: fitting, endpoints: [...fitting.endpoints, ...rest.splice(0)] });
    }
  }
  for (const { slice, endpoints } of changed) out.update.push({ slice, content: { addressType, ports, endpoints } });
  out.keep.push(...unchanged);
}

function endpointKey({ addresses, targetRef }: SliceEndpoint): string {
  return `${targetRef?.uid ?? ""} ${addresses.join()}`;
}

function fullestWithRoom(slices: readonly EndpointSlice[], count: number, max: number): EndpointSlice | undefined {
  return slices
    .filter(({ endpoints }) => endpoints.length + count <= max)
    .reduce<EndpointSlice | undefined>(
      (best, slice) => (best === undefined || slice.endpoints.length > best.endpoints.length ? slice : best),
      undefined,
    );
}

function addPlaceholder(family: EndpointSlice["addressType"], all: MutableChanges): void {
  const stands = ({ addressType }: { addressType: string }) => addressType === family;
  if (all.create.some(stands) || all.keep.some(stands) || all.update.some(({ slice }) => stands(slice))) return;
  const placeholder = all.remove.find((slice) => stands(slice) && isPlaceholder(slice));
  if (placeholder === undefined) all.create.push({ addressType: family, ports: [], endpoints: [] });
  else {
    all.remove.splice(all.remove.indexOf(placeholder), 1);
    all.keep.push(placeholder);
  }
}

function isPlaceholder({ endpoints, ports }: EndpointSlice): boolean {
  return (endpoints ?? []).length === 0 && (ports ?? []).length === 0;
}

function pairCreatesWithRemoves({ create, update, remove, keep }: MutableChanges): SliceChanges {
  const creates: SliceContent[] = [];
  const updates = [...update];
  const removes = [...remove];
  for (const content of create) {
    const index = removes.findIndex(({ addressType }) => addressType === content.addressType);
    const [slice] = index === -1 ? [] : removes.splice(index, 1);
    if (slice === undefined) creates.push(content);
    else updates.push({ slice, content });
  }
  return { create: creates, update: updates, remove: removes, keep };
}
