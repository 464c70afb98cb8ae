/** What nodes need of the kernel besides being root, with the bit each has in a process's sets (capability.h). */
const needed = [
  { name: "CAP_NET_ADMIN", bit: 12n, use: "links, routes and rules" },
  { name: "CAP_SYS_CHROOT", bit: 18n, use: "the pods' own file systems" },
  { name: "CAP_SYS_ADMIN", bit: 21n, use: "namespaces and mounts" },
] as const;

/**
 * The capabilities that are missing for nodes, by the text of `/proc/self/status`; root in a container often lacks some.
 * A text without the set (no Linux) counts as lacking nothing: what fails then says so itself.
 */
export function missingCapabilities(processStatus: string): { name: string; use: string }[] {
  const set = /^CapEff:\s*([0-9a-f]+)$/m.exec(processStatus)?.[1];
  if (set === undefined) return [];
  const effective = BigInt(`0x${set}`);
  return needed.filter(({ bit }) => ((effective >> bit) & 1n) === 0n).map(({ name, use }) => ({ name, use }));
}
