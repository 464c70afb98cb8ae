import { lookup as systemLookup, Resolver, type LookupAddress, type LookupOptions } from "node:dns";
import { BlockList, isIPv6, type LookupFunction } from "node:net";

/**
 * What a name must never lead to: this machine's own services and its link's (cloud metadata among them). An endpoint
 * that is meant to be there is given by its address; a name is somebody else's word, and may change its mind.
 */
const forbidden = new BlockList();
forbidden.addSubnet("127.0.0.0", 8, "ipv4");
forbidden.addSubnet("0.0.0.0", 8, "ipv4");
forbidden.addSubnet("169.254.0.0", 16, "ipv4");
forbidden.addAddress("::", "ipv6");
forbidden.addAddress("::1", "ipv6");
forbidden.addSubnet("fe80::", 10, "ipv6");

/** Whether a name may lead to this address. IPv4-mapped IPv6 addresses are held to the IPv4 rules. */
export function mayBeNamed(address: string): boolean {
  return !forbidden.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

type Ask = (
  name: string,
  options: LookupOptions,
  done: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void;

const askSystem: Ask = (name, options, done) => systemLookup(name, { ...options, all: true }, done);

/** Asks these servers; what they do not know may be a name of the machine's own, such as one of its hosts file. */
function askServers(servers: readonly string[]): Ask {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers(servers);
  return (name, options, done) => {
    resolver.resolve4(name, (error, addresses) => {
      if (error !== null) return askSystem(name, options, done);
      done(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      );
    });
  };
}

/**
 * The resolver of connections to endpoints that are given by name; addresses never come here. With servers given it
 * asks them first: cluster DNS knows the names of Services and pods, which the machine's resolver does not.
 */
export function createLookup(servers: readonly string[] = []): LookupFunction {
  const ask = servers.length === 0 ? askSystem : askServers(servers);
  return (name, options, done) => {
    ask(name, options, (error, found) => {
      if (error !== null) return done(error, "", 0);
      const allowed = found.filter(({ address }) => mayBeNamed(address));
      const [first] = allowed;
      if (first === undefined) {
        const message = `${name} leads to this machine itself, which an endpoint's name may not`;
        return done(Object.assign(new Error(message), { code: "EFORBIDDEN" }), "", 0);
      }
      if (options.all === true) return done(null, allowed);
      done(null, first.address, first.family);
    });
  };
}
