import { inNamespace, runCommand } from "../../command.ts";
import type { ProxyNode } from "../../mode.ts";

/** Each family has its own tables, and its own program for them. */
const programs = { 4: "iptables", 6: "ip6tables" } as const;

/** Calls of `iptables-restore` that the kernel or the program refused. */
export class IptablesError extends Error {
  override readonly name = "IptablesError";
}

/** Seconds to wait for another program that holds the lock of iptables-legacy; iptables-nft has none. */
const lockSeconds = "5";

/** Gives one text to the kernel, and leaves alone what it does not name. Rejects with `IptablesError`. */
export async function restore({ netns, family = 4 }: ProxyNode, text: string): Promise<void> {
  const argv = [`${programs[family]}-restore`, "--noflush", "-w", lockSeconds];
  const { code, stderr } = await runCommand(inNamespace(netns, argv), `${text}\n`);
  if (code !== 0) throw new IptablesError(explain(stderr, text));
}

/** What stands in all tables. Rejects with `IptablesError`. */
export async function save({ netns, family = 4 }: ProxyNode): Promise<string> {
  const { code, stdout, stderr } = await runCommand(inNamespace(netns, [`${programs[family]}-save`]));
  if (code !== 0) throw new IptablesError(explain(stderr, ""));
  return stdout;
}

/** Whether iptables is the one of before nf_tables. */
export async function usesLegacy({ netns }: ProxyNode): Promise<boolean> {
  const { stdout } = await runCommand(inNamespace(netns, ["iptables", "--version"]));
  return !stdout.includes("nf_tables");
}

/** Whether a command failed because there is no such program. */
export function isMissing(reason: string): boolean {
  return /ENOENT|failed to execute .*No such file/.test(reason);
}

/** The words of the program, with the line they are about. */
function explain(stderr: string, text: string): string {
  const said = stderr.trim().split("\n").slice(-3).join("; ").slice(0, 600);
  const line = Number(/line:? (\d+)/.exec(stderr)?.[1] ?? 0);
  const about = text.split("\n")[line - 1];
  return about === undefined || about === "COMMIT" ? said : `${said} (${about.slice(0, 300)})`;
}
