/** The names that every server of the measurement serves. */
export const zone = "cluster.local";
export const services = 10_000;
/** A zone that another server has, which all are told to ask. */
export const outside = "up.bench";

export const serviceName = (index: number): string => `web-${index}.dev.svc.${zone}`;
export const addressOf = (index: number): string => `10.${96 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
export const cachedName = (index: number): string => `name-${index % 500}.kept.${outside}`;
export const freshName = (index: number): string => `name-${index}.new.${outside}`;

/** Master file of the cluster's names. */
export function clusterZoneFile(): string {
  const hosts = Array.from({ length: services }, (_, index) => `${serviceName(index)}. 30 A ${addressOf(index)}`);
  return [soaOf(zone), `${zone}. 30 NS ns.dns.${zone}.`, `ns.dns.${zone}. 30 A 10.96.0.10`, ...hosts, ""].join("\n");
}

/** Master file of the zone outside: any name has an address. */
export function outsideZoneFile(): string {
  return [
    soaOf(outside),
    `${outside}. 300 NS ns.${outside}.`,
    `ns.${outside}. 300 A 127.0.0.1`,
    `*.kept.${outside}. 3600 A 192.0.2.1`,
    `*.new.${outside}. 3600 A 192.0.2.2`,
    "",
  ].join("\n");
}

export function soaOf(name: string): string {
  return `${name}. 5 SOA ns.dns.${name}. hostmaster.${name}. 1 7200 1800 86400 5`;
}
