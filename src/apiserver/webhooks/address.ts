import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { WebhookClientConfig } from "#api/admissionregistration/validatingwebhookconfiguration/kind.ts";

/** Where a webhook is called. */
export interface Address {
  readonly url: URL;
  /** The URL as messages name it, with the port of a Service even where it is the usual one. */
  readonly text: string;
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

/** The address of a webhook, without resolving anything. */
export function addressOf({ url, service }: WebhookClientConfig, timeoutSeconds: number): Address {
  const path = (service?.path ?? "").replace(/^(?!\/)/, "/");
  const query = `?timeout=${timeoutSeconds}s`;
  if (url === undefined) {
    const text = `https://${service?.name}.${service?.namespace}.svc:${service?.port ?? 443}${path}${query}`;
    return { url: new URL(text), text };
  }
  const address = new URL(url);
  address.search = query;
  return { url: address, text: address.href };
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
