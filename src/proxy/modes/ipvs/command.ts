import { runOn } from "../../command.ts";
import type { ProxyNode } from "../../mode.ts";
import type { Command } from "./transaction.ts";

/** A program that the kernel refused something, or that is not there. */
export class IpvsError extends Error {
  override readonly name = "IpvsError";
  /** The line that was refused, where the program says which it was. */
  readonly line: string | undefined;
  constructor(message: string, line?: string) {
    super(message);
    this.line = line;
  }
}

/** How each program reads many commands: what is there already, or gone already, is no error where it can tell. */
const batch: Readonly<Record<Command[0], readonly string[]>> = {
  ipset: ["ipset", "restore", "-exist"],
  ip: ["ip", "-batch", "-"],
  ipvsadm: ["ipvsadm", "-R"],
};

/** Rejects with `IpvsError`; what came before the refused command is in force then. */
export async function give(node: ProxyNode, [program, input]: Command): Promise<void> {
  await ask(node, batch[program], input);
}

/** Runs a program and answers what it printed. Rejects with `IpvsError`. */
export async function ask(node: ProxyNode, argv: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await runOn(node, argv, input);
  if (code === 0) return stdout;
  const said = `${argv[0] ?? ""}: ${stderr.trim().split("\n").join("; ").slice(0, 600)}`;
  const number = Number(/(?:Error in line |Command failed -:)(\d+)/.exec(stderr)?.[1] ?? 0);
  const line = input?.split("\n")[number - 1];
  throw line === undefined ? new IpvsError(said) : new IpvsError(`${said} (${line.slice(0, 300)})`, line);
}
