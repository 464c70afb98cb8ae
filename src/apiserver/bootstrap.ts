import type { Client } from "#client/contract.ts";

export interface BootstrapOptions {
  /** The address of Service `default/kubernetes`: the first of the service range. */
  serviceAddress: string;
  /** Where the API server really listens, as pods reach it. Empty until the uplink is there. */
  apiEndpoints: readonly { address: string; port: number }[];
}

/**
 * Creates what every cluster starts with: namespaces default, kube-system, kube-public and kube-node-lease, and Service
 * default/kubernetes with its Endpoints and EndpointSlice. May be called again at any time, e.g. when the endpoints
 * change; what is already right is left alone.
 */
export function bootstrap(_client: Client, _options: BootstrapOptions): Promise<void> {
  throw new Error("being built");
}
