import { formatAddress, parseAddress, type Family } from "#base/cidr.ts";
import type { Service } from "#api/core/service/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import type { Labels } from "#api/meta/selector.ts";
import { createHolders, type Holders } from "./holders.ts";
import { addressesOf, byPriority, mayUse, poolHolds, type AddressPool } from "./pool.ts";
import { familiesOf, isOurs, wishesOf, type Wishes } from "./wishes.ts";

/** Which outside addresses each Service of type LoadBalancer has, or why it has none. */
export type Assignment =
  | { readonly service: Service; readonly addresses: readonly string[]; readonly pool: string }
  | { readonly service: Service; readonly reason: PendingReason; readonly message: string };

/** The reasons of the events that `<pending>` Services carry. */
export type PendingReason =
  | "NoAddressPool"
  | "AddressPoolNotFound"
  | "AddressNotInPool"
  | "AddressInUse"
  | "AddressPoolExhausted"
  | "InvalidAddressRequest";

export interface Assigning {
  readonly pools: readonly AddressPool[];
  /** Addresses that are something else's, such as a node's. */
  readonly reserved?: ReadonlySet<string>;
  readonly namespaceLabels?: (namespace: string) => Labels;
}

type Refusal = { readonly reason: PendingReason; readonly message: string };

/**
 * Gives every Service of type LoadBalancer one address of each of its families from one pool: those it has, else those
 * it asks for, else the first free ones. Older Services choose first, so an address never moves to a newcomer. Pure.
 */
export function assignAddresses(services: readonly Service[], assigning: Assigning): Assignment[] {
  const ours = services.filter(isOurs).map((service) => ({ service, wishes: wishesOf(service) }));
  ours.sort((a, b) => (rank(a.service) < rank(b.service) ? -1 : 1));
  const table = createHolders();
  const kept = new Map<Service, Assignment>();
  for (const { service, wishes } of ours) {
    const held = heldAddresses(service);
    const pool = keepsIn(service, wishes, held, assigning);
    if (pool === undefined || held.some((address) => table.whyNot(address, service, wishes) !== undefined)) continue;
    for (const address of held) table.hold(address, service, wishes);
    kept.set(service, { service, addresses: held, pool: pool.name });
  }
  const cursors = new Map<string, Cursor>();
  return ours.map(({ service, wishes }) => kept.get(service) ?? choose(service, wishes, { assigning, table, cursors }));
}

/** The addresses in the Service's status. */
export function heldAddresses({ status }: Service): string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
}

/** The pool that what the Service has is of, when it may keep all of it. */
function keepsIn(
  service: Service,
  wishes: Wishes,
  held: readonly string[],
  { pools, reserved, namespaceLabels }: Assigning,
): AddressPool | undefined {
  const parsed = held.flatMap((text) => parseAddress(text) ?? []);
  const families = familiesOf(service);
  const isWhole = families.every((family) => parsed.some((address) => address.family === family));
  const mayLack = service.spec.ipFamilyPolicy === "PreferDualStack" && parsed.length > 0;
  if (wishes.problem !== undefined || parsed.length < held.length || parsed.length > families.length) return undefined;
  if (!isWhole && !mayLack) return undefined;
  if (wishes.addresses.some((wish) => !held.includes(normal(wish)))) return undefined;
  if (held.some((address) => reserved?.has(address))) return undefined;
  return pools.find(
    (pool) =>
      (wishes.pool === undefined || wishes.pool === pool.name) &&
      parsed.every((address) => poolHolds(pool, address)) &&
      mayUse(pool, service, namespaceLabels?.(service.metadata.namespace ?? "")),
  );
}

interface Choosing {
  readonly assigning: Assigning;
  readonly table: Holders;
  readonly cursors: Map<string, Cursor>;
}

function choose(service: Service, wishes: Wishes, choosing: Choosing): Assignment {
  const chosen = wishes.problem === undefined ? pick(service, wishes, choosing) : invalid(wishes.problem);
  if ("reason" in chosen) return { service, ...chosen };
  for (const address of chosen.addresses) choosing.table.hold(address, service, wishes);
  return { service, ...chosen };
}

type Chosen = { readonly addresses: readonly string[]; readonly pool: string };

function pick(service: Service, wishes: Wishes, choosing: Choosing): Chosen | Refusal {
  const { pools, namespaceLabels } = choosing.assigning;
  if (pools.length === 0) return noPool;
  const namespace = service.metadata.namespace ?? "";
  const allowed = pools.filter((pool) => mayUse(pool, service, namespaceLabels?.(namespace)));
  if (wishes.pool !== undefined) {
    const names = pools.map(({ name }) => name).join(", ");
    const pool = pools.find(({ name }) => name === wishes.pool);
    if (pool === undefined) {
      return { reason: "AddressPoolNotFound", message: `there is no pool ${wishes.pool}; there are: ${names}` };
    }
    if (!allowed.includes(pool)) {
      const message = `pool ${pool.name} is not for Service ${keyOf(service)}; see its serviceAllocation`;
      return { reason: "AddressPoolNotFound", message };
    }
  }
  const named = allowed.filter(({ name }) => wishes.pool === undefined || name === wishes.pool);
  if (wishes.addresses.length > 0) return pickWished(service, wishes, named, choosing);
  const candidates = named.filter(({ autoAssign }) => autoAssign || wishes.pool !== undefined).sort(byPriority);
  for (const pool of candidates) {
    const addresses = pickFree(service, wishes, pool, choosing);
    if (addresses !== undefined) return { addresses, pool: pool.name };
  }
  const texts = candidates.map(({ name, ranges }) => `${name} (${ranges.map(({ text }) => text).join(", ")})`);
  return {
    reason: "AddressPoolExhausted",
    message:
      texts.length === 0
        ? `no pool is given to Services like ${keyOf(service)}; see serviceAllocation and autoAssign of the pools`
        : `every address of every pool is in use, of the families the Service has: ${texts.join(", ")}`,
  };
}

function pickWished(
  service: Service,
  wishes: Wishes,
  pools: readonly AddressPool[],
  { assigning, table }: Choosing,
): Chosen | Refusal {
  const addresses = wishes.addresses.map(normal);
  for (const address of addresses) {
    if (assigning.reserved?.has(address)) {
      return { reason: "AddressInUse", message: `${address} belongs to a node or to this machine` };
    }
    const why = table.whyNot(address, service, wishes);
    if (why !== undefined) return { reason: "AddressInUse", message: why };
  }
  const parsed = addresses.flatMap((text) => parseAddress(text) ?? []);
  const pool = pools.find((pool) => parsed.every((address) => poolHolds(pool, address)));
  if (pool !== undefined) return { addresses, pool: pool.name };
  const message = `the asked for ${addresses.join(" and ")} is in no pool that is for this Service`;
  return { reason: "AddressNotInPool", message };
}

/** One address of each family, or of one with PreferDualStack. */
function pickFree(
  service: Service,
  wishes: Wishes,
  pool: AddressPool,
  { assigning, table, cursors }: Choosing,
): string[] | undefined {
  const families = familiesOf(service);
  const found = families.flatMap((family) => {
    const shared =
      wishes.sharing === undefined
        ? undefined
        : table.sharedBy(wishes.sharing).find((address) => {
            const parsed = parseAddress(address);
            const isIn = parsed?.family === family && poolHolds(pool, parsed);
            return isIn && table.whyNot(address, service, wishes) === undefined;
          });
    return shared ?? nextFree(pool, family, { assigning, table, cursors }) ?? [];
  });
  if (found.length === families.length) return found;
  return found.length > 0 && service.spec.ipFamilyPolicy === "PreferDualStack" ? found : undefined;
}

/** How far the search for free addresses of a pool has come: what is behind it stays taken. */
interface Cursor {
  readonly rest: Iterator<string>;
  free: string | undefined;
}

function nextFree(pool: AddressPool, family: Family, { assigning, table, cursors }: Choosing): string | undefined {
  const id = `${family} ${pool.name}`;
  let cursor = cursors.get(id);
  if (cursor === undefined) {
    const rest = addressesOf(pool, family);
    cursor = { rest, free: rest.next().value ?? undefined };
    cursors.set(id, cursor);
  }
  while (cursor.free !== undefined && (table.isTaken(cursor.free) || assigning.reserved?.has(cursor.free))) {
    cursor.free = cursor.rest.next().value ?? undefined;
  }
  return cursor.free;
}

function rank({ metadata }: Service): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.namespace}/${metadata.name}`;
}

/** The same address in the one form that addresses are compared in. */
function normal(text: string): string {
  const parsed = parseAddress(text);
  return parsed === undefined ? text : formatAddress(parsed);
}

const noPool: Refusal = {
  reason: "NoAddressPool",
  message:
    "no pool of outside addresses is configured; start with --load-balancer-cidr RANGE, or name one in ConfigMap kube-system/load-balancer",
};

function invalid(message: string): Refusal {
  return { reason: "InvalidAddressRequest", message };
}
