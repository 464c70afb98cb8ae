import { inNamespace, runCommand } from "../../command.ts";
import type { ProxyNode } from "../../mode.ts";
import type { Command } from "./transaction.ts";

/** A program that the kernel refused something, or that is not there. */
export class IpvsError extends Error {
  override readonly name = "IpvsError";
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
export async function ask({ netns }: ProxyNode, argv: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await runCommand(inNamespace(netns, argv), input);
  if (code === 0) return stdout;
  throw new IpvsError(`${argv[0] ?? ""}: ${stderr.trim().split("\n").join("; ").slice(0, 600)}`);
}
