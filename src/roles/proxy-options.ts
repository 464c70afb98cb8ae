import type { ProxyModeOption } from "./options.ts";

/** What `fairlead proxy` runs with. */
export interface ProxyRoleOptions {
  /** What the configuration says when left out, then the account of the pod it runs in. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** A KubeProxyConfiguration. */
  readonly config?: string;
  /** Where the configuration leaves it open. */
  readonly proxyMode: ProxyModeOption;
  /** The name of this host when left out. */
  readonly hostnameOverride?: string;
  /** The interface on which outside addresses of Services are announced; none are when left out. */
  readonly announceOn?: string;
}
