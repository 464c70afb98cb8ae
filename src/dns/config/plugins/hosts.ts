import type { HostsSettings } from "../../settings.ts";
import type { Directive } from "../corefile-tree.ts";
import { parseCount, type PluginScope } from "../draft.ts";
import { parseHostsFile, parseHostsWords } from "../hosts-text.ts";
import { readOrTell } from "../read-file.ts";

/** `hosts [FILE [ZONE...]] { ... }`: the file's lines (`/etc/hosts` by default, as upstream), and those in the block. */
export function readHosts(
  { args, line, block = [] }: Directive,
  { draft, readFile, error, ignored }: PluginScope,
): void {
  const [file, ...zones] = args;
  if (zones.length > 0) ignored(line, `hosts: zones (${zones.join(" ")}) have no effect, all names are answered`);
  const tell = (why: string) => (file === undefined ? undefined : error(line, `hosts: ${why}`));
  const entries = parseHostsFile(readOrTell(readFile, file ?? "/etc/hosts", tell) ?? "");
  let ttlSeconds = 3600;
  let fallthrough = false;
  for (const { name, args, line } of block) {
    const entry = parseHostsWords([name, ...args]);
    if (entry !== undefined) entries.push(entry);
    else if (name === "ttl") {
      const ttl = parseCount(args[0], 1, 65_535);
      if (ttl === undefined) error(line, "ttl of hosts must be between 1 and 65535 seconds");
      else ttlSeconds = ttl;
    } else if (name === "fallthrough") {
      fallthrough = true;
      if (args.length > 0) ignored(line, `fallthrough ${args.join(" ")}: it holds for all zones`);
    } else if (name === "reload") continue;
    else if (/^[\d.]+$|:/.test(name)) error(line, `${[name, ...args].join(" ")} is not an address with names`);
    else ignored(line, `${name} of hosts has no effect here`);
  }
  draft.hosts = { entries, ttlSeconds, fallthrough } satisfies HostsSettings;
}
