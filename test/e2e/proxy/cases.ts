import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import type { ProxyModeName } from "#proxy/mode.ts";
import type { Arena } from "./arena.ts";
import { netnsOf, plans } from "./ground.ts";
import { endpointOf, type PodName, type Wanted } from "./objects.ts";

/** One promise of the service proxy, shown with real traffic. Each has its own Service, named and addressed by `own`. */
export interface ProxyCase {
  readonly name: string;
  readonly modes: readonly ProxyModeName[];
  /** Why other modes in the kernel cannot show it. */
  readonly others?: string;
  /** It needs both families. */
  readonly isDual?: boolean;
  readonly run: (arena: Arena, own: Wanted) => Promise<void>;
}

const kernel: readonly ProxyModeName[] = ["nftables", "iptables", "ipvs"];
const every: readonly ProxyModeName[] = [...kernel, "userspace"];
/** Why the mode userspace cannot show what the modes in the kernel can. */
export const ownPlaces = "userspace serves at local ports of its own, and endpoints see the node as their client";
/** ip_vs serves no loopback addresses, and of IPv6 the kernel lets no packet of ::1 out. */
const servesLoopback = ({ mode, family }: Arena) => mode !== "ipvs" && family === 4;
/** So many connections meet every endpoint: ip_vs takes one after the other, all others take them at random. */
const enough = ({ mode }: Arena) => (mode === "ipvs" ? 12 : 40);
const allPods: readonly PodName[] = ["pod-a", "pod-b", "pod-c"];
const clientsOf = ({ mode }: Arena) => (mode === "userspace" ? ["outside"] : ["pod-a", "node-1", "outside"]);
const namesIn = (answers: readonly string[]) => [...new Set(answers.map((answer) => answer.split(" ")[0]))].sort();
/** The number that the last part of a cluster IP is; each case has its own. */
const numberOf = ({ clusterIP }: Wanted) =>
  clusterIP.includes(":")
    ? Number.parseInt(clusterIP.split(":").at(-1) ?? "", 16)
    : Number(clusterIP.split(".").at(-1));
const nodePort = (wanted: Wanted, spec: Wanted["spec"] = {}): Wanted => ({
  ...wanted,
  ports: [{ port: 80, nodePort: 30_000 + numberOf(wanted) }],
  spec: { type: "NodePort", ...spec },
});

/** Asks until the answer is right: the kernel limits how many refusals it sends to one peer. */
async function eventually(ask: () => Promise<string>, right: string): Promise<void> {
  const deadline = Date.now() + 8000;
  let answer = await ask();
  while (answer !== right && Date.now() < deadline) answer = await ask();
  assert.equal(answer, right);
}

/** What a careless program does to the rules on node-1. */
function deleteRules({ mode, family }: Arena): void {
  const inside = (...argv: string[]) => spawnSync("nsenter", [`--net=${netnsOf("node-1")}`, ...argv]);
  if (mode === "nftables") inside("nft", "delete", "table", family === 6 ? "ip6" : "ip", "kube-proxy");
  if (mode === "ipvs") inside("ipvsadm", "-C");
  for (const table of mode === "iptables" ? ["nat", "filter"] : []) {
    const program = family === 6 ? "ip6tables" : "iptables";
    inside(program, "-t", table, "-F");
    inside(program, "-t", table, "-X");
  }
}

export const cases: readonly ProxyCase[] = [
  {
    name: "a cluster IP reaches every endpoint, from pods, nodes and outside",
    modes: every,
    async run(arena, own) {
      await arena.serve({ ...own, pods: allPods });
      for (const from of clientsOf(arena)) {
        assert.deepEqual(
          namesIn(await arena.tcp(from, arena.place(own, "service"), enough(arena))),
          [...allPods],
          from,
        );
      }
    },
  },
  {
    name: "a node port reaches every endpoint at every address of the node, 127.0.0.1 too (at ::1 it is refused)",
    modes: every,
    async run(arena, own) {
      const wanted = nodePort({ ...own, pods: allPods });
      await arena.serve(wanted);
      const place = arena.place(wanted, "nodePort");
      for (const from of clientsOf(arena)) {
        assert.deepEqual(namesIn(await arena.tcp(from, place, enough(arena))), [...allPods], from);
      }
      if (arena.mode === "userspace") return;
      for (const host of [...(servesLoopback(arena) ? ["127.0.0.1", "127.0.0.2"] : []), arena.plan.gateway]) {
        assert.deepEqual(namesIn(await arena.tcp("node-1", { ...place, host }, enough(arena))), [...allPods], host);
      }
      assert.deepEqual(
        namesIn(await arena.tcp("outside", { ...place, host: arena.plan.nodes["node-2"] }, enough(arena))),
        [...allPods],
      );
      if (arena.family === 6) assert.deepEqual(await arena.tcp("node-1", { ...place, host: "::1" }), ["refused"]);
    },
  },
  {
    name: "an endpoint sees a pod as its client by the pod's address, and all others by the node's",
    modes: kernel,
    async run(arena, own) {
      const wanted = nodePort({ ...own, pods: ["pod-c"] });
      await arena.serve(wanted);
      const cluster = arena.place(wanted, "service");
      assert.deepEqual(await arena.tcp("pod-a", cluster), [`pod-c ${arena.plan.pods["pod-a"]}`]);
      assert.deepEqual(await arena.tcp("node-1", cluster), [`pod-c ${arena.plan.nodes["node-1"]}`]);
      assert.deepEqual(await arena.tcp("outside", cluster), [`pod-c ${arena.plan.nodes["node-1"]}`]);
      assert.deepEqual(await arena.tcp("pod-a", arena.place(wanted, "nodePort")), [
        `pod-c ${arena.plan.nodes["node-1"]}`,
      ]);
    },
  },
  {
    name: "a pod reaches itself through its own Service",
    modes: kernel,
    async run(arena, own) {
      await arena.serve({ ...own, pods: ["pod-a"] });
      assert.deepEqual(
        await arena.tcp("pod-a", arena.place(own, "service"), 3),
        Array(3).fill(`pod-a ${arena.plan.gateway}`),
      );
    },
  },
  {
    name: "a Service without endpoints refuses, by TCP and by UDP, at each of its addresses",
    modes: kernel,
    async run(arena, own) {
      const port = { port: 80, nodePort: 31_000 + numberOf(own) };
      const ports = [
        { ...port, name: "t" },
        { ...port, name: "u", protocol: "UDP" as const },
      ];
      const wanted: Wanted = { ...own, pods: [], ports, spec: { type: "NodePort" } };
      await arena.serve(wanted);
      for (const from of clientsOf(arena)) {
        for (const by of ["service", "nodePort"] as const) {
          assert.deepEqual(await arena.tcp(from, arena.place(wanted, by)), ["refused"], `${from} ${by}`);
          await eventually(() => arena.udp(from, arena.place(wanted, by, 1)), "refused");
        }
      }
    },
  },
  {
    name: "a Service without endpoints lets nobody wait",
    modes: ["userspace"],
    others: "modes in the kernel refuse, see above",
    async run(arena, own) {
      await arena.serve({ ...own, pods: [] });
      assert.deepEqual(await arena.tcp("outside", arena.place(own, "service")), ["refused"]);
    },
  },
  {
    name: "an unknown port of a cluster IP is refused, an address no Service has is dropped, and ping gets a clean no",
    modes: ["nftables", "ipvs"],
    others: "upstream's iptables mode has no rule for them: such packets go where routes send them",
    async run(arena, own) {
      await arena.serve({ ...own, pods: allPods });
      for (const from of clientsOf(arena)) {
        assert.deepEqual(await arena.tcp(from, { host: own.clusterIP, port: 81 }), ["refused"], from);
      }
      // In ipvs an address of no Service is routed like any other.
      if (arena.mode === "ipvs") return;
      const nobody = (await arena.ground.ask("pod-a", {
        ask: "tcp",
        host: arena.plan.nobody,
        port: 80,
        timeoutMs: 400,
      })) as string[];
      assert.deepEqual(nobody, ["timeout"]);
      const ping = ["--net=" + netnsOf("pod-a"), "ping", "-c", "1", "-W", "2", own.clusterIP];
      const { status, stdout, error } = spawnSync("nsenter", ping, { encoding: "utf8" });
      if (error === undefined && status !== 127)
        assert.match(stdout, /Destination (?:Port Unreachable|unreachable: Port unreachable)/);
    },
  },
  {
    name: "session affinity keeps a client at its endpoint while others come, and moves it when its own goes",
    modes: every,
    async run(arena, own) {
      const wanted = nodePort({ ...own, pods: ["pod-a", "pod-b"] }, { sessionAffinity: "ClientIP" });
      for (const by of ["service", "nodePort"] as const) {
        await arena.serve(wanted);
        for (const from of clientsOf(arena)) {
          const [first = ""] = namesIn(await arena.tcp(from, arena.place(wanted, by)));
          await arena.serve({ ...wanted, pods: allPods });
          assert.deepEqual(namesIn(await arena.tcp(from, arena.place(wanted, by), 12)), [first], `${from} ${by}`);
          const others = allPods.filter((pod) => pod !== first);
          await arena.serve({ ...wanted, pods: others });
          const moved = namesIn(await arena.tcp(from, arena.place(wanted, by), 12));
          assert.equal(moved.length, 1, `${from} ${by} moved to ${moved.join(" and ")}`);
          assert.notEqual(moved[0], first);
          await arena.serve(wanted);
        }
      }
    },
  },
  {
    name: "each use of a session affinity starts its timeout again",
    modes: every,
    async run(arena, own) {
      const spec = { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 2 } } } as const;
      const wanted: Wanted = { ...own, pods: allPods, spec };
      await arena.serve(wanted);
      const seen: string[] = [];
      for (let use = 0; use < 5; use += 1) {
        seen.push(...(await arena.tcp("outside", arena.place(wanted, "service"))));
        await new Promise((resolve) => setTimeout(resolve, 900));
      }
      assert.equal(namesIn(seen).length, 1);
    },
  },
  {
    name: "internalTrafficPolicy Local stays on the node, and drops where the node has nothing",
    modes: kernel,
    async run(arena, own) {
      const wanted: Wanted = { ...own, pods: allPods, spec: { internalTrafficPolicy: "Local" } };
      await arena.serve(wanted);
      assert.deepEqual(namesIn(await arena.tcp("pod-a", arena.place(own, "service"), 20)), ["pod-a", "pod-b"]);
      assert.deepEqual(namesIn(await arena.tcp("node-2", arena.place(own, "service"), 5)), ["pod-c"]);
      await arena.serve({ ...wanted, pods: ["pod-c"] });
      // Upstream's ipvs mode takes the endpoints of other nodes then, and so does ours.
      const elsewhere = arena.mode === "ipvs" ? `pod-c ${arena.plan.pods["pod-a"]}` : "timeout";
      assert.deepEqual(await arena.tcp("pod-a", arena.place(own, "service")), [elsewhere]);
      await arena.serve({ ...wanted, pods: [] });
      assert.deepEqual(await arena.tcp("pod-a", arena.place(own, "service")), ["refused"]);
    },
  },
  {
    name: "externalTrafficPolicy Local keeps the client's address, drops where the node has nothing, and exempts the node",
    modes: kernel,
    async run(arena, own) {
      const wanted = nodePort({ ...own, pods: ["pod-a"] }, { externalTrafficPolicy: "Local" });
      await arena.serve(wanted);
      const place = arena.place(wanted, "nodePort");
      const other = { ...place, host: arena.plan.nodes["node-2"] };
      assert.deepEqual(await arena.tcp("outside", place), [`pod-a ${arena.plan.outside}`]);
      assert.deepEqual(await arena.tcp("outside", other), ["timeout"]);
      assert.deepEqual(await arena.tcp("pod-c", other), [`pod-a ${arena.plan.pods["pod-c"]}`]);
      assert.deepEqual(await arena.tcp("node-2", other), [`pod-a ${arena.plan.nodes["node-2"]}`]);
      if (servesLoopback(arena)) {
        assert.deepEqual(await arena.tcp("node-2", { ...place, host: "127.0.0.1" }), [
          `pod-a ${arena.plan.nodes["node-2"]}`,
        ]);
      }
      await arena.serve({ ...wanted, pods: [] });
      assert.deepEqual(await arena.tcp("outside", other), ["refused"]);
    },
  },
  {
    name: "an external IP and a load-balancer IP are served, the latter only to its source ranges",
    modes: kernel,
    async run(arena, own) {
      const { plan, family } = arena;
      const [externalIP, balancerIP] = [plan.external(numberOf(own)), plan.external(100 + numberOf(own))];
      const wider = family === 6 ? "fd00:172:30::200/119" : "172.30.0.128/25";
      // Of the other family, which opens this address to nobody.
      const other = family === 6 ? "10.0.0.0/8" : "fd00::/8";
      const spec = {
        type: "LoadBalancer",
        externalIPs: [externalIP],
        loadBalancerSourceRanges: [`${plan.outside}/${family === 6 ? 128 : 32}`, wider, other],
      } as const;
      const status = { loadBalancer: { ingress: [{ ip: balancerIP, ipMode: "VIP" as const }] } };
      await arena.serve({
        ...own,
        pods: allPods,
        spec: {
          ...spec,
          externalIPs: [...spec.externalIPs],
          loadBalancerSourceRanges: [...spec.loadBalancerSourceRanges],
        },
        status,
      });
      const external = { host: externalIP, port: 80 };
      const balanced = { host: balancerIP, port: 80 };
      for (const from of ["outside", "pod-a", "node-1"]) {
        assert.deepEqual(namesIn(await arena.tcp(from, external, enough(arena))), [...allPods], from);
      }
      assert.deepEqual(namesIn(await arena.tcp("outside", balanced, enough(arena))), [...allPods]);
      assert.deepEqual(await arena.tcp("pod-a", balanced), ["timeout"]);
    },
  },
  {
    name: "of two Services that want one external address the older has it, then the other",
    modes: kernel,
    async run(arena, own) {
      const shared = { host: arena.plan.external(77), port: 80 };
      const open: Wanted = { ...own, pods: allPods, spec: { externalIPs: [shared.host] } };
      const newer: Wanted = {
        ...open,
        name: `a-newer-${arena.family}`,
        clusterIP: arena.plan.clusterIP(177),
        pods: ["pod-c"],
      };
      await arena.serve({ ...open, pods: ["pod-a"] });
      await new Promise((resolve) => setTimeout(resolve, 1100));
      await arena.serve(newer);
      assert.deepEqual(namesIn(await arena.tcp("outside", shared, 6)), ["pod-a"]);
      const codes = arena.proxies.problems().map(({ code, at }) => `${at.name} ${code}`);
      assert.deepEqual([...new Set(codes)], [`${newer.name} address-taken`]);
      await arena.serve({ ...own, pods: allPods });
      assert.deepEqual(namesIn(await arena.tcp("outside", shared, 6)), ["pod-c"]);
    },
  },
  {
    name: "a Service of both families is served at both its addresses, each by endpoints of that family",
    isDual: true,
    modes: every,
    async run(arena, own) {
      const second = plans[arena.family === 4 ? 6 : 4];
      const wanted: Wanted = { ...own, pods: allPods, secondIP: second.clusterIP(200 + arena.family) };
      await arena.serve(wanted);
      for (const from of clientsOf(arena)) {
        for (const clusterIP of [own.clusterIP, wanted.secondIP ?? ""]) {
          const place = arena.place({ ...wanted, clusterIP }, "service");
          assert.deepEqual(namesIn(await arena.tcp(from, place, enough(arena))), [...allPods], `${from} ${place.host}`);
        }
      }
      // Only one family is left.
      await arena.serve({ ...own, pods: ["pod-c"] });
      assert.deepEqual(namesIn(await arena.tcp("outside", arena.place(own, "service"), 5)), ["pod-c"]);
    },
  },
  {
    name: "endpoints that serve while they terminate are used when no other is ready",
    modes: every,
    async run(arena, own) {
      const ending = { ready: false, serving: true, terminating: true };
      const endpoint = (pod: PodName, conditions = {}) => endpointOf(pod, conditions, arena.family);
      await arena.serve({ ...own, pods: [] }, (slice) => ({
        ...slice,
        endpoints: [endpoint("pod-a", ending), endpoint("pod-b", { ready: false, serving: false })],
      }));
      assert.deepEqual(namesIn(await arena.tcp("outside", arena.place(own, "service"), 6)), ["pod-a"]);
      await arena.serve({ ...own, pods: [] }, (slice) => ({
        ...slice,
        endpoints: [endpoint("pod-a", ending), endpoint("pod-c")],
      }));
      assert.deepEqual(namesIn(await arena.tcp("outside", arena.place(own, "service"), 6)), ["pod-c"]);
    },
  },
  {
    name: "a UDP flow with a fixed source port follows when its endpoint is replaced",
    modes: every,
    async run(arena, own) {
      const ports = [{ port: 53, nodePort: 31_000 + numberOf(own), protocol: "UDP" as const }];
      const wanted: Wanted = { ...own, pods: ["pod-a"], ports, spec: { type: "NodePort" } };
      const answers = async (from: string, by: "service" | "nodePort", right: string) => {
        const localPort = (by === "service" ? 40_053 : 40_054) + 2 * arena.family;
        const ask = async () => (await arena.udp(from, arena.place(wanted, by), localPort)).split(" ")[0] ?? "";
        await eventually(ask, right);
      };
      for (const pod of ["pod-a", "pod-c"] as const) {
        await arena.serve({ ...wanted, pods: [pod] });
        for (const from of clientsOf(arena)) {
          for (const by of ["service", "nodePort"] as const) await answers(from, by, pod);
        }
      }
    },
  },
  {
    name: "TCP and UDP of one port number are two service ports",
    modes: every,
    async run(arena, own) {
      const ports = [
        { name: "t", port: 53 },
        { name: "u", port: 53, protocol: "UDP" as const },
      ];
      const wanted: Wanted = { ...own, pods: ["pod-b"], ports };
      await arena.serve(wanted);
      assert.match((await arena.tcp("outside", arena.place(wanted, "service", 0)))[0] ?? "", /^pod-b/);
      assert.match(await arena.udp("outside", arena.place(wanted, "service", 1)), /^pod-b/);
    },
  },
  {
    name: "a connection that is open stays with its endpoint when endpoints change, and half-close passes through",
    modes: every,
    async run(arena, own) {
      await arena.serve({ ...own, pods: ["pod-a"] });
      const place = arena.place(own, "service");
      assert.match((await arena.ground.ask("outside", { ask: "hold", key: own.name, ...place })) as string, /^pod-a/);
      await arena.serve({ ...own, pods: ["pod-c"] });
      assert.deepEqual(namesIn(await arena.tcp("outside", place, 5)), ["pod-c"]);
      const echo = await arena.ground.ask("outside", { ask: "echo", key: own.name, text: "still there" });
      assert.equal(echo, "pod-a still there");
      const text = `count ${"x".repeat(200_000)}`;
      const counted = await arena.ground.ask("outside", { ask: "halfclose", ...place, text });
      assert.equal(counted, `counted ${text.length}`);
    },
  },
  {
    name: "an endpoint that does not answer is passed over",
    modes: ["userspace"],
    others: "the kernel sends a packet to an endpoint and does not look back",
    async run(arena, own) {
      const dead = { addresses: [arena.plan.pods["pod-c"].replace(/10$/, "99")], nodeName: "node-2" };
      await arena.serve({ ...own, pods: [] }, (slice) => ({
        ...slice,
        endpoints: [dead, endpointOf("pod-a", {}, arena.family)],
      }));
      assert.deepEqual(namesIn(await arena.tcp("outside", arena.place(own, "service"), 4)), ["pod-a"]);
    },
  },
  {
    name: "a Service that goes is served no more",
    modes: kernel,
    async run(arena, own) {
      await arena.serve({ ...own, pods: allPods });
      await arena.remove(own.name);
      await eventually(async () => {
        const question = { ask: "tcp", host: own.clusterIP, port: 80, timeoutMs: 300 } as const;
        return ((await arena.ground.ask("pod-a", question)) as string[])[0] ?? "";
      }, "timeout");
      await arena.serve({ ...own, pods: ["pod-a"] });
    },
  },
  {
    name: "rules that another program deleted are built anew with the next change",
    modes: kernel,
    async run(arena, own) {
      await arena.serve({ ...own, pods: ["pod-a"] });
      deleteRules(arena);
      await arena.serve({ ...own, pods: ["pod-b"] });
      assert.deepEqual(namesIn(await arena.tcp("pod-a", arena.place(own, "service"), 4)), ["pod-b"]);
    },
  },
  {
    name: "traffic goes on while the proxy is restarted, and clients keep their endpoint",
    modes: kernel,
    async run(arena, own) {
      const sticky: Wanted = {
        ...own,
        name: `${own.name}-sticky`,
        clusterIP: arena.plan.clusterIP(188),
        pods: allPods,
        spec: { sessionAffinity: "ClientIP" },
      };
      await arena.serve({ ...own, pods: allPods });
      await arena.serve(sticky);
      const clients = [...allPods, "node-1", "node-2", "outside"];
      const endpoints = async () => {
        const answers = clients.map((from) => arena.tcp(from, arena.place(sticky, "service"), 3));
        return (await Promise.all(answers)).map((answer) => namesIn(answer));
      };
      const before = await endpoints();
      const load = arena.ground.ask("pod-a", { ask: "load", ...arena.place(own, "service"), ms: 1500 });
      await arena.restart();
      await arena.restart();
      const outcomes = (await load) as Record<string, number>;
      assert.deepEqual(Object.keys(outcomes).sort(), [...allPods]);
      assert.deepEqual(await endpoints(), before);
    },
  },
];
