import type { DataplaneOptions } from "#dataplane/running.ts";
import type { IngressOptions } from "./options.ts";

/** What the options say of connections before there is any HTTP: the data plane is started with it. */
export function edgeOptions(
  options: IngressOptions,
): Required<Pick<DataplaneOptions, "proxyProtocol" | "tls" | "limits">> {
  const { useProxyProtocol, proxyHeaderMs, proxyRanges, tlsVersions, tlsCiphers, tlsCurves } = options;
  const [minVersion, maxVersion] = tlsVersions;
  return {
    limits: { greetingMs: proxyHeaderMs },
    proxyProtocol: { isRequired: useProxyProtocol, from: proxyRanges },
    tls: { minVersion, maxVersion, ciphers: tlsCiphers, curves: tlsCurves },
  };
}
