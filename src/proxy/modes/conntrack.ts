import type { Log } from "#base/log.ts";
import type { ServicePortEntry } from "#routing/l4/table.ts";
import { runOn } from "../command.ts";
import type { ProxyNode } from "../mode.ts";

/** One tracked UDP flow: where its client sends to, and who answers. */
export interface Flow {
  readonly to: string;
  readonly toPort: number;
  readonly answers: string;
  readonly answersPort: number;
}

/** Reads what `conntrack -L` prints; lines of another shape are left out. */
export function parseFlows(text: string): Flow[] {
  const pattern = / dst=(\S+) sport=\d+ dport=(\d+) .*?src=(\S+) dst=\S+ sport=(\d+) /g;
  return [...text.matchAll(pattern)].map(([, to = "", toPort, answers = "", answersPort]) => ({
    to,
    toPort: Number(toPort),
    answers,
    answersPort: Number(answersPort),
  }));
}

/**
 * The flows that go on to an endpoint their service no longer has. A service without any endpoint keeps its flows
 * (upstream pkg/proxy/conntrack `cleanup.go`). Each distinct flow once.
 */
export function staleFlows(flows: readonly Flow[], entries: Iterable<ServicePortEntry>, node: ProxyNode): Flow[] {
  const byAddress = new Map<string, ReadonlySet<string>>();
  const byNodePort = new Map<number, ReadonlySet<string>>();
  for (const entry of entries) {
    const serving = entry.endpoints.filter((endpoint) => endpoint.serving);
    if (serving.length === 0) continue;
    const valid = new Set(serving.map(({ address, port }) => `${address}:${port}`));
    for (const address of [entry.clusterIP, ...entry.externalIPs, ...entry.loadBalancerIPs]) {
      byAddress.set(`${address}:${entry.port}`, valid);
    }
    if (entry.nodePort !== 0) byNodePort.set(entry.nodePort, valid);
  }
  const isOwn = (address: string) =>
    address.startsWith("127.") || address === "::1" || node.addresses.includes(address);
  const stale = flows.filter(({ to, toPort, answers, answersPort }) => {
    // An untranslated flow through a node port's number is ours only when it ends on the node itself.
    const onNode = answers !== to || isOwn(to) ? byNodePort.get(toPort) : undefined;
    const valid = byAddress.get(`${to}:${toPort}`) ?? onNode;
    return valid !== undefined && !valid.has(`${answers}:${answersPort}`);
  });
  return [...new Map(stale.map((flow) => [JSON.stringify(flow), flow])).values()];
}

/** Ends stale UDP flows after a change, so that their clients reach the endpoints there are now. */
export interface FlowCleaner {
  /** Looks at the flows of these service ports soon; several calls are one look. Never rejects. */
  request(entries: readonly ServicePortEntry[]): void;
  /** Resolves when nothing is asked for any more. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

export function createFlowCleaner(node: ProxyNode, log: Log): FlowCleaner {
  const family = `ipv${node.family ?? 4}`;
  const waiting = new Map<string, ServicePortEntry>();
  let running: Promise<void> | undefined;
  let stopped = false;

  async function work(): Promise<void> {
    while (waiting.size > 0) {
      if (stopped) return;
      const entries = [...waiting.values()];
      waiting.clear();
      const listed = await runOn(node, ["conntrack", "-L", "-f", family, "-p", "udp"]);
      if (listed.code !== 0) {
        const hint = "UDP clients of removed endpoints may wait until their flow times out; install conntrack";
        log.warn({ node: node.name, error: listed.stderr.slice(0, 300) }, hint);
        return;
      }
      for (const flow of staleFlows(parseFlows(listed.stdout), entries, node)) {
        const to = ["--orig-dst", flow.to, "--orig-port-dst", String(flow.toPort)];
        const from = ["--reply-src", flow.answers, "--reply-port-src", String(flow.answersPort)];
        await runOn(node, ["conntrack", "-D", "-f", family, "-p", "udp", ...to, ...from]);
        log.debug({ node: node.name, ...flow }, "ended the stale UDP flows of a removed endpoint");
      }
    }
  }

  const cleaner: FlowCleaner = {
    request(entries) {
      for (const entry of entries) if (entry.protocol === "UDP") waiting.set(entry.id, entry);
      if (waiting.size === 0 || running !== undefined || stopped) return;
      running = work().finally(() => {
        running = undefined;
        if (waiting.size > 0) cleaner.request([]);
      });
    },
    async idle() {
      if (running === undefined) return;
      await running;
      await cleaner.idle();
    },
    async stop() {
      stopped = true;
      await running;
    },
  };
  return cleaner;
}
