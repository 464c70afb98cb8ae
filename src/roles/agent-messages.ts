/** What the server process and its agent say to each other over their channel. No secrets: certificates go by path. */
export type ToAgent =
  | { readonly type: "configure"; readonly config: AgentConfig }
  /** The API server listens now. */
  | { readonly type: "connect"; readonly server: string }
  /** End; `remove` takes pods, rules and namespaces along. */
  | { readonly type: "stop"; readonly pods: "keep" | "remove" };

export type FromAgent =
  | { readonly type: "network"; readonly uplinkAddress: string }
  | { readonly type: "running"; readonly proxyMode: string; readonly notice?: string; readonly warning?: string }
  /** The service proxies have another configuration, or refuse one. */
  | { readonly type: "proxy"; readonly text: string }
  /** Every node's proxy has this revision of the API in force. */
  | { readonly type: "applied"; readonly revision: string }
  /** The agent cannot work, and waits to be ended. */
  | { readonly type: "failed"; readonly text: string; readonly next?: string };

export interface AgentConfig {
  readonly clusterId: string;
  readonly nodes: number;
  readonly proxyMode: string;
  readonly serviceCidr: string;
  readonly podCidr: string;
  readonly nodeCidr: string;
  readonly loadBalancerCidrs: readonly string[];
  readonly clusterDomain: string;
  readonly dnsAddress: string;
  readonly dataDir: string;
  readonly nodesDir: string;
  readonly socketPath: string;
  readonly logFile: string;
  readonly certificatesDir: string;
}
