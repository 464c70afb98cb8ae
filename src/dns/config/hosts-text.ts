import { isIP } from "node:net";
import type { HostsSettings } from "../settings.ts";
import { parseDomain } from "./addresses.ts";

type Entry = HostsSettings["entries"][number];

/** An `ADDRESS NAME NAME...` line of a hosts file; `undefined` when it is none. */
export function parseHostsWords([address = "", ...names]: readonly string[]): Entry | undefined {
  const domains = names.map(parseDomain);
  if (isIP(address) === 0 || domains.length === 0) return undefined;
  return domains.every((name) => name !== undefined && name !== ".")
    ? { address, names: domains as string[] }
    : undefined;
}

/** The entries of a hosts file (hosts(5)). Lines that are none are passed over, as resolvers do. */
export function parseHostsFile(text: string): Entry[] {
  return text.split("\n").flatMap((line) => {
    const words = (line.split("#")[0] ?? "").split(/\s+/).filter((word) => word !== "");
    return parseHostsWords(words) ?? [];
  });
}
