import { parseAddress, type Family } from "#base/cidr.ts";
import type { Service } from "#api/core/service/kind.ts";

/** The class that names this provider; a Service without a class is its as well. */
export const loadBalancerClass = "fairlead.dev/load-balancer";

/** MetalLB's annotations, under the names of today and of before 0.15. */
const prefixes = ["metallb.io", "metallb.universe.tf"] as const;
export const addressesAnnotation = "metallb.io/loadBalancerIPs";
export const poolAnnotation = "metallb.io/address-pool";
export const sharingAnnotation = "metallb.io/allow-shared-ip";

/** What a Service asks for. */
export interface Wishes {
  /** Addresses by name, one a family. */
  readonly addresses: readonly string[];
  readonly pool?: string;
  /** Services with the same key may have one address. */
  readonly sharing?: string;
  /** What is wrong with it, in a sentence. */
  readonly problem?: string;
}

/** Whether outside addresses of the Service are this provider's to give. */
export function isOurs({ spec }: Service): boolean {
  const { type, loadBalancerClass: asked } = spec;
  return type === "LoadBalancer" && (asked === undefined || asked === loadBalancerClass);
}

/** The families that a Service has, the first first; IPv4 where nothing says. */
export function familiesOf({ spec }: Service): Family[] {
  const named = (spec.ipFamilies ?? []).map((family): Family => (family === "IPv6" ? 6 : 4));
  if (named.length > 0) return named;
  const held = (spec.clusterIPs ?? [spec.clusterIP ?? ""]).flatMap((text) => parseAddress(text)?.family ?? []);
  return held.length > 0 ? [...new Set(held)] : [4];
}

/** Reads `spec.loadBalancerIP` and the annotations. Pure. */
export function wishesOf(service: Service): Wishes {
  const annotations = service.metadata.annotations ?? {};
  const annotated = (name: string) => {
    const short = name.slice(name.indexOf("/"));
    const text = prefixes.map((prefix) => annotations[prefix + short]).find((value) => value !== undefined);
    return text === undefined || text.trim() === "" ? undefined : text.trim();
  };
  const list = annotated(addressesAnnotation);
  const single = service.spec.loadBalancerIP;
  const pool = annotated(poolAnnotation);
  const sharing = annotated(sharingAnnotation);
  const both = list !== undefined && single !== undefined && single !== "";
  const texts = list?.split(",").map((text) => text.trim()) ?? (single === undefined || single === "" ? [] : [single]);
  const problem = both
    ? `spec.loadBalancerIP and annotation ${addressesAnnotation} are both set; leave one out`
    : problemOf(service, texts);
  return {
    addresses: texts,
    ...(pool === undefined ? {} : { pool }),
    ...(sharing === undefined ? {} : { sharing }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function problemOf(service: Service, texts: readonly string[]): string | undefined {
  const families = texts.map((text) => parseAddress(text)?.family);
  const wrong = texts.find((_, index) => families[index] === undefined);
  if (wrong !== undefined) return `${JSON.stringify(wrong.slice(0, 100))} is no address`;
  if (new Set(families).size < families.length)
    return `more than one address of a family is asked for: ${texts.join()}`;
  const own = familiesOf(service);
  const other = texts.find((_, index) => !own.includes(families[index] ?? 4));
  return other === undefined ? undefined : `${other} is asked for, and the Service has no address of that family`;
}
