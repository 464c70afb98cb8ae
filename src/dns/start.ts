import type { DnsOptions, RunningDns } from "./contract.ts";

/**
 * Starts cluster DNS: names are compiled from the API's objects on the calling thread, and answered by a worker thread
 * (or this one) that receives only differences. Resolves once every listener answers; rejects with the system's error
 * when one cannot be opened.
 */
export async function startDns(options: DnsOptions): Promise<RunningDns> {
  throw new Error(`cluster DNS for ${options.clusterDomain} is being built`);
}
