import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { WebhookClientConfig } from "#api/admissionregistration/validatingwebhookconfiguration/kind.ts";

/** Where a webhook is called. */
export interface Address {
  /** For messages and the `Host` header: the Service's DNS name, or the URL's host. */
  readonly url: URL;
  /** Where the connection really goes; the URL's own host when there is none. */
  readonly endpoint?: { readonly host: string; readonly port: number };
}

export interface AddressSources {
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, name: string): readonly EndpointSlice[];
  /** 0 to 1, exclusive. */
  random(): number;
}

/** A Service that leads nowhere; the message is upstream's (`util/proxy.ResolveEndpoint`). */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** The URL of a webhook, without resolving anything. */
export function urlOf({ url, service }: WebhookClientConfig, timeoutSeconds: number): URL {
  const path = (service?.path ?? "").replace(/^(?!\/)/, "/");
  const text = url ?? `https://${service?.name}.${service?.namespace}.svc:${service?.port ?? 443}${path}`;
  const address = new URL(text);
  address.search = `?timeout=${timeoutSeconds}s`;
  return address;
}

/**
 * A ready endpoint of the Service behind a webhook, by chance; nothing for a URL. Throws `UnreachableError`. Node networks
 * are reached directly, so that no proxy has to be there.
 */
export function endpointOf({ service: reference }: WebhookClientConfig, sources: AddressSources): Address["endpoint"] {
  if (reference === undefined) return undefined;
  const { namespace, name, port = 443 } = reference;
  const service = sources.service(namespace, name);
  if (service === undefined) throw new UnreachableError(`service ${JSON.stringify(name)} not found`);
  const servicePort = service.spec.ports?.find((each) => each.port === port);
  if (servicePort === undefined) {
    throw new UnreachableError(`no service port ${port} found for service ${JSON.stringify(name)}`);
  }
  const candidates = sources.slices(namespace, name).flatMap(({ endpoints, ports = [] }) => {
    const target = ports.find((each) => (each.name ?? "") === (servicePort.name ?? ""))?.port;
    if (target === undefined) return [];
    return endpoints
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses }) => addresses.slice(0, 1).map((host) => ({ host, port: target })));
  });
  const chosen = candidates[Math.floor(sources.random() * candidates.length)];
  if (chosen === undefined) {
    throw new UnreachableError(`no endpoints available for service ${JSON.stringify(name)}`);
  }
  return chosen;
}
