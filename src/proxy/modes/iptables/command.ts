import { runOn } from "../../command.ts";
import type { ProxyNode } from "../../mode.ts";
import { chainNames } from "./layout.ts";
import type { Element, Table } from "./rule.ts";

/** Each family has its own tables, and its own program for them. */
const programs = { 4: "iptables", 6: "ip6tables" } as const;

/** Calls of `iptables-restore` that the kernel or the program refused. */
export class IptablesError extends Error {
  override readonly name = "IptablesError";
  /** What the line puts in the kernel that was refused, where the program says which it was. */
  readonly at: Omit<Element, "value"> | undefined;
  constructor(message: string, at?: Omit<Element, "value">) {
    super(message);
    this.at = at;
  }
}

/** Seconds to wait for another program that holds the lock of iptables-legacy; iptables-nft has none. */
const lockSeconds = "5";

/** Gives one text to the kernel, and leaves alone what it does not name. Rejects with `IptablesError`. */
export async function restore(node: ProxyNode, text: string): Promise<void> {
  const argv = [`${programs[node.family ?? 4]}-restore`, "--noflush", "-w", lockSeconds];
  const { code, stderr } = await runOn(node, argv, `${text}\n`);
  if (code !== 0) throw refusalOf(stderr, text);
}

/** What stands in all tables. Rejects with `IptablesError`. */
export async function save(node: ProxyNode): Promise<string> {
  const { code, stdout, stderr } = await runOn(node, [`${programs[node.family ?? 4]}-save`]);
  if (code !== 0) throw refusalOf(stderr, "");
  return stdout;
}

/** Whether iptables is the one of before nf_tables. */
export async function usesLegacy(node: ProxyNode): Promise<boolean> {
  const { stdout } = await runOn(node, ["iptables", "--version"]);
  return !stdout.includes("nf_tables");
}

/** Whether a command failed because there is no such program. */
export function isMissing(reason: string): boolean {
  return /ENOENT|failed to execute .*No such file/.test(reason);
}

/** The words of the program, with the line they are about. */
function refusalOf(stderr: string, text: string): IptablesError {
  const said = stderr.trim().split("\n").slice(-3).join("; ").slice(0, 600);
  const line = Number(/line:? (\d+)/.exec(stderr)?.[1] ?? 0);
  const lines = text.split("\n").slice(0, line);
  const about = lines.at(-1);
  if (about === undefined || about === "COMMIT") return new IptablesError(said);
  const table = lines.findLast((each) => each.startsWith("*"))?.slice(1) as Table;
  const [, chain = "", rule = ""] = /^(?:-[AIDX] |:)(\S+) ?(.*)$/.exec(about) ?? [];
  const at = chainNames.isOwn(table, chain)
    ? ({ set: table, key: chain } as const)
    : ({ set: `${table} ${chain}`, key: rule } as const);
  return new IptablesError(`${said} (${about.slice(0, 300)})`, at);
}
