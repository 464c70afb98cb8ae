import type { Duplex } from "node:stream";
import type { Admission, UserInfo } from "#api/admission.ts";
import type { Secret } from "#api/core/secret/kind.ts";
import type { ServiceAccount } from "#api/core/serviceaccount/kind.ts";
import type { KindDefinition } from "#api/kind.ts";
import { kinds as allKinds, servedKinds } from "#api/kinds.ts";
import { systemClock, type Clock } from "#base/clock.ts";
import { silentLog, type Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import type { Store } from "#store/contract.ts";
import { createAuthenticate } from "./auth/authenticate.ts";
import { createAuthorizer } from "./auth/authorize.ts";
import { followPods } from "./auth/node/follow.ts";
import { createNodeGraph } from "./auth/node/graph.ts";
import { createNodeRestriction } from "./auth/node/restriction.ts";
import { createEscalationCheck } from "./auth/rbac/escalation.ts";
import { followRbac } from "./auth/rbac/follow.ts";
import { createRbacTable } from "./auth/rbac/table.ts";
import type { StaticToken } from "./auth/static-tokens.ts";
import { createAccountTokens } from "./auth/tokens/accounts.ts";
import { readTokenKey } from "./auth/tokens/key.ts";
import type { Certificates } from "./certificates.ts";
import { createDiscovery } from "./discovery/answer.ts";
import { createOpenApi } from "./discovery/openapi.ts";
import type { Parts } from "./http/exchange.ts";
import { bodiesLimit, createByteBudget } from "./http/body.ts";
import { createGate, defaultRequestLimits, type RequestLimits } from "./http/gate.ts";
import { createHandler } from "./http/handle.ts";
import { openListener, type ListenAddress, type Listener } from "./http/listener.ts";
import { createLocalClient } from "./local.ts";
import { openRegistry, type Registry } from "./registry/registry.ts";

export type { ListenAddress } from "./http/listener.ts";
export { parseTokenFile, type StaticToken } from "./auth/static-tokens.ts";

export interface ApiServerOptions {
  store: Store;
  certificates: Pick<Certificates, "ca" | "server" | "tokenKey">;
  /** Where to listen; port 0 picks a free one. */
  listen: readonly ListenAddress[];
  /** Every kind of `api/kinds.ts` by default. */
  kinds?: readonly KindDefinition[];
  /** In the order they run. */
  admissions?: readonly Admission[];
  /** Whoever shows no proof is `system:anonymous`; otherwise only the paths of health checks answer. False by default. */
  anonymousAuth?: boolean;
  /** Static bearer tokens; see `parseTokenFile`. */
  tokens?: readonly StaticToken[];
  /** Who the tokens of ServiceAccounts say they are from: `https://kubernetes.default.svc.CLUSTER_DOMAIN`. */
  issuer?: string;
  /** A stream to the agent that runs the node's pods, for logs, exec, attach and port-forward. */
  connectNode?: (nodeName: string) => Promise<Duplex>;
  /** How many requests are taken at once, and of one user; more are told to come again. */
  limits?: Partial<RequestLimits & { readonly bodyBytes: number }>;
  /** A client that takes nothing of a long answer for so long is cut off; a minute by default. */
  stalledMs?: number;
  clock?: Clock;
  log?: Log;
}

export interface RunningApiServer {
  readonly registry: Registry;
  /** Where it listens, with the real ports. */
  addresses(): readonly ListenAddress[];
  /** Opens one more door, e.g. when the uplink's address appears; answers the real address. */
  addListener(address: ListenAddress): Promise<ListenAddress>;
  /** `isOwn` is for the server's own objects, about which no webhook is asked. */
  localClient(user: UserInfo, options?: { isOwn?: boolean }): Client;
  /** A token of a ServiceAccount that lasts as long as the Secret holds it. */
  issueSecretToken(bound: { account: ServiceAccount; secret: Secret }): string;
  /** How many watches, logs and streams are open. */
  openStreams(): number;
  /** Ends watches, waits for running requests (5 s at most), closes the doors. The store stays open. */
  stop(): Promise<void>;
}

const stopGraceMs = 5000;
const defaultIssuer = "https://kubernetes.default.svc.cluster.local";

/** Starts the API server over a store. Resolves when every address listens; rejects when one cannot be had. */
export async function startApiServer(options: ApiServerOptions): Promise<RunningApiServer> {
  const { store, certificates, kinds = allKinds, admissions = [], tokens = [], connectNode } = options;
  const { clock = systemClock, log = silentLog, stalledMs = 60_000, issuer = defaultIssuer } = options;
  const table = createRbacTable();
  const graph = createNodeGraph();
  const authorizer = createAuthorizer(table, graph);
  const restriction = createNodeRestriction((name) => registry.get("Node", { name })?.object);
  const all = [restriction, createEscalationCheck(authorizer, table), ...admissions];
  const registry: Registry = await openRegistry({ store, definitions: kinds, admissions: all, clock, log });
  await Promise.all([followRbac(registry, table, log), followPods(registry, graph, log)]);
  const served = servedKinds.filter(({ definition }) => kinds.includes(definition));
  const accounts = createAccountTokens({
    key: readTokenKey(certificates.tokenKey),
    issuer,
    clock,
    find: (kind, key) => registry.get(kind, key)?.object,
  });
  const authenticate = createAuthenticate(tokens, accounts, options.anonymousAuth);
  let isStopping = false;
  const { backup } = store;
  const open = new Set<() => void>();
  const parts: Parts = {
    registry,
    authenticate,
    authorizer,
    accounts,
    served,
    log,
    bodies: createByteBudget(options.limits?.bodyBytes ?? bodiesLimit),
    stalledMs,
    connectNode,
    open,
    backup,
    isStopping: () => isStopping,
  };
  const documents = { discovery: createDiscovery(served), openApi: createOpenApi() };
  const gate = createGate({ ...defaultRequestLimits, ...options.limits }, clock);
  const handler = createHandler(parts, documents, gate);
  const listeners: Listener[] = [];

  const addListener = async (address: ListenAddress) => {
    const listener = await openListener(address, certificates, handler);
    listeners.push(listener);
    return listener.address;
  };
  const stop = async () => {
    isStopping = true;
    const closed = listeners.map((listener) => listener.close(stopGraceMs));
    for (const end of parts.open) end();
    await Promise.all(closed);
    // Last: what was still being answered saw its own writes.
    registry.stop();
  };

  try {
    for (const address of options.listen) await addListener(address);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    registry,
    addresses: () => listeners.map(({ address }) => address),
    addListener,
    localClient: (user, options) => createLocalClient(registry, user, options),
    issueSecretToken: (bound) => accounts.issue(bound, accounts.audiences, undefined, clock.now()),
    openStreams: () => parts.open.size,
    stop,
  };
}
