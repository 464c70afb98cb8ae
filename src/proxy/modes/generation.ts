import { spawn } from "node:child_process";
import { inNamespace } from "../command.ts";
import type { ProxyNode } from "../mode.ts";

/** NFT_MSG_GETGEN, a request to nfnetlink without attributes (linux/netfilter/nf_tables.h). */
const request = Buffer.from([20, 0, 0, 0, 16, 10, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
/** To the kernel: AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, port 0, no group. */
const kernel = "SOCKET-SENDTO:16:3:12:x00000000000000000000";
const answerMs = 5_000;

/**
 * The number that the kernel raises with every change of nf_tables in the namespace, whoever makes it: the same number
 * means the same rules and elements. `undefined` where it cannot be asked (it takes the program socat).
 */
export function readGeneration({ netns, run }: Pick<ProxyNode, "netns" | "run">): Promise<number | undefined> {
  // It is a conversation, and no program that comes to an end.
  if (run !== undefined) return Promise.resolve(undefined);
  const [program = "", ...args] = inNamespace(netns, ["socat", "-", kernel]);
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"], timeout: answerMs, killSignal: "SIGKILL" });
    let answer = Buffer.alloc(0);
    child.on("error", () => resolve(undefined));
    // There was no file descriptor left for its pipes; its error says so.
    if (child.stdin === undefined) return;
    child.stdin.on("error", () => {});
    child.on("close", () => resolve(undefined));
    child.stdout.on("data", (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      const generation = parseGeneration(answer);
      if (generation === undefined) return;
      resolve(generation);
      child.kill("SIGKILL");
    });
    // Not ended: socat would wait for nothing more from the kernel, and then for its own time-out.
    child.stdin.write(request);
  });
}

/** How many changes this process made, by namespace: the proxies of both families of a node share one kernel count. */
const own = new Map<string, number>();

export function countOwn({ netns = "" }: Pick<ProxyNode, "netns">): void {
  own.set(netns, (own.get(netns) ?? 0) + 1);
}

export function ownCount({ netns = "" }: Pick<ProxyNode, "netns">): number {
  return own.get(netns) ?? 0;
}

/** The generation in an answer of the kernel; `undefined` when it is another message, or not whole. Pure. */
export function parseGeneration(message: Buffer): number | undefined {
  const newGeneration = 0x0a0f;
  if (message.length < 28 || message.readUInt16LE(4) !== newGeneration) return undefined;
  // The first attribute, NFTA_GEN_ID, behind the headers of netlink and nfnetlink.
  return message.readUInt16LE(22) === 1 ? message.readUInt32BE(24) : undefined;
}
