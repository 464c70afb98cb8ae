import { parseAddress } from "#base/cidr.ts";
import type { Log } from "#base/log.ts";

/** Runs a program in the node's network namespace, without a shell. */
export type Run = (argv: readonly string[], input?: string) => Promise<RunOutcome>;

interface RunOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The interface of a node by which its neighbours reach it. */
export interface Link {
  /** Whether packets can pass. */
  isUp(): Promise<boolean>;
  /**
   * Has these addresses, each for so many seconds from now, whatever becomes of this program: the kernel answers for
   * them by ARP and NDP, and takes them away by itself. Answers whether packets can pass. Rejects when it cannot.
   */
  hold(seconds: ReadonlyMap<string, number>): Promise<boolean>;
  /** Takes them away; what is not there is no error. */
  release(addresses: readonly string[]): Promise<void>;
  /** Tells all neighbours that these addresses are here from now on. Never rejects. */
  tell(addresses: readonly string[]): Promise<void>;
}

/**
 * An address with a lifetime on the interface itself: it is answered for whatever `arp_ignore` says, and a program that
 * is killed cannot leave it behind for two nodes to answer for.
 */
export function createLink({ run, device, log }: { run: Run; device: string; log: Log }): Link {
  if (!/^[A-Za-z0-9_.-]{1,15}$/.test(device)) throw new Error(`${JSON.stringify(device)} is no name of an interface`);
  let warned = false;

  async function batch(lines: readonly string[], force = false): Promise<string> {
    const argv = ["ip", "-j", ...(force ? ["-force"] : []), "-batch", "-"];
    const { code, stdout, stderr } = await run(argv, `${lines.join("\n")}\n`);
    if (code === 0 || force) return stdout;
    throw new Error(`ip: ${stderr.trim().split("\n").join("; ").slice(0, 300)}`);
  }

  const show = `link show dev ${device}`;
  const canPass = (stdout: string) => {
    const [link] = JSON.parse(stdout.trim() || "[]") as { flags?: string[] }[];
    return ["UP", "LOWER_UP"].every((flag) => link?.flags?.includes(flag));
  };

  return {
    isUp: async () => canPass(await batch([show], true)),
    async hold(seconds) {
      if ([...seconds.keys()].some(isV6)) await run(["sysctl", "-q", "-w", ...announceNew(device)]);
      const lines = [...seconds].map(([address, left]) => {
        // Deprecated from the start: no connection of the node itself takes it as its source.
        return `addr replace ${prefixed(address)} dev ${device} valid_lft ${left} preferred_lft 0`;
      });
      return canPass(await batch([show, ...lines]));
    },
    async release(addresses) {
      if (addresses.length > 0)
        await batch(
          addresses.map((address) => `addr del ${prefixed(address)} dev ${device}`),
          true,
        );
    },
    async tell(addresses) {
      const told = addresses
        .filter((address) => !isV6(address))
        .map((address) => run(["arping", "-q", "-U", "-c", "3", "-I", device, checked(address)]));
      const failed = (await Promise.all(told)).find(({ code }) => code !== 0);
      if (failed === undefined || warned) return;
      warned = true;
      const hint = "neighbours may look for an address at its last node for half a minute; install iputils-arping";
      log.warn({ device, error: failed.stderr.slice(0, 200) }, hint);
    },
  };
}

/**
 * A new address of IPv6 is told to all neighbours by the kernel itself, when it need not ask first whether it is free
 * (`addrconf_dad_completed`). It is: by the Lease nobody else has it.
 */
function announceNew(device: string): string[] {
  return [`net.ipv6.conf.${device}.ndisc_notify=1`, `net.ipv6.conf.${device}.accept_dad=0`];
}

function isV6(address: string): boolean {
  return parseAddress(address)?.family === 6;
}

function prefixed(address: string): string {
  return `${checked(address)}/${isV6(address) ? 128 : 32}`;
}

/** Nothing but an address gets into a command. */
function checked(address: string): string {
  if (parseAddress(address) === undefined) throw new Error(`not an address: ${JSON.stringify(address)}`);
  return address;
}
