import { Maglev } from "../balance/maglev.ts";
import { Ring } from "../balance/ring.ts";
import type { Random } from "../balance/balancer.ts";
import type { Endpoint } from "./endpoint.ts";

/** Which endpoint a request would have. */
export interface Preference {
  /** The endpoint of this key, as `Endpoint.key` has it. */
  readonly endpoint?: string;
  /** The endpoint that consistent hashing gives this text. */
  readonly hash?: string;
  /** With `hash`: endpoints get even shares of the texts, and a few more texts move when one comes or goes. */
  readonly evenly?: boolean;
  /** With `hash`: any of a group of this many that the text belongs to. */
  readonly subset?: number;
  /** No other endpoint after the preferred one failed. */
  readonly stays?: boolean;
}

/** Finds preferred endpoints in one list of them. What it needs is made when it is first asked for. */
export class Preferences {
  private readonly endpoints: readonly Endpoint[];
  private readonly random: Random;
  private byKey: Map<string, Endpoint> | undefined;
  private ring: Ring | undefined;
  private maglev: Maglev | undefined;
  private readonly subsets = new Map<number, { readonly ring: Ring; readonly groups: readonly Endpoint[][] }>();

  constructor(endpoints: readonly Endpoint[], random: Random) {
    this.endpoints = endpoints;
    this.random = random;
  }

  find(preference: Preference, usable: (endpoint: Endpoint) => boolean): Endpoint | undefined {
    const { endpoint, hash, subset } = preference;
    if (endpoint !== undefined) {
      this.byKey ??= new Map(this.endpoints.map((endpoint) => [endpoint.key, endpoint]));
      const found = this.byKey.get(endpoint);
      return found !== undefined && usable(found) ? found : undefined;
    }
    if (hash === undefined) return undefined;
    return subset === undefined ? this.byHash(preference, hash, usable) : this.bySubset(hash, subset, usable);
  }

  private byHash({ evenly }: Preference, key: string, usable: (endpoint: Endpoint) => boolean): Endpoint | undefined {
    const isUsable = (member: number) => {
      const endpoint = this.endpoints[member];
      return endpoint !== undefined && usable(endpoint);
    };
    const member = this.tableOf(evenly === true).find(key, isUsable);
    return member === undefined ? undefined : this.endpoints[member];
  }

  private tableOf(evenly: boolean): Ring | Maglev {
    const names = () => this.endpoints.map(({ name }) => name);
    return evenly ? (this.maglev ??= new Maglev(names())) : (this.ring ??= new Ring(names()));
  }

  private bySubset(key: string, size: number, usable: (endpoint: Endpoint) => boolean): Endpoint | undefined {
    let made = this.subsets.get(size);
    if (made === undefined) {
      const groups = groupsOf(this.endpoints, size);
      made = { groups, ring: new Ring(groups.map((_, index) => `subset ${index}`)) };
      this.subsets.set(size, made);
    }
    const { groups, ring } = made;
    const member = ring.find(key, (member) => groups[member]?.some(usable) === true);
    const candidates = member === undefined ? [] : (groups[member]?.filter(usable) ?? []);
    return candidates[Math.floor(this.random() * candidates.length)];
  }
}

/** Groups of this size, the last one filled up from the front. */
function groupsOf(endpoints: readonly Endpoint[], size: number): Endpoint[][] {
  const groups: Endpoint[][] = [];
  for (let start = 0; start < endpoints.length; start += size) {
    const group = endpoints.slice(start, start + size);
    const missing = Math.min(size - group.length, start);
    groups.push([...group, ...endpoints.slice(0, missing)]);
  }
  return groups;
}
