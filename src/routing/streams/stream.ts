import type { Service } from "#api/core/service/kind.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { StreamEntry } from "#dataplane/table.ts";
import { endpointsOf, findPort } from "../l7/backend.ts";
import type { StreamWish } from "./read.ts";

/** In milliseconds, and how many endpoints one connection may try. */
export interface StreamTimes {
  readonly connectMs: number;
  /** `proxy-stream-timeout`. */
  readonly tcpIdleMs: number;
  readonly udpIdleMs: number;
  /** `proxy-stream-next-upstream-tries`. */
  readonly tries: number;
}

export interface StreamRequest {
  readonly id: string;
  readonly protocol: "tcp" | "udp";
  readonly wish: StreamWish;
  readonly times: StreamTimes;
}

/**
 * The stream of a line: to the pods' own addresses, as the backends of Ingresses. One sentence when the Service or its
 * port does not exist; then nothing listens. A Service without endpoints is there: its connections are closed at once.
 */
export function compileStream(
  { id, protocol, wish, times }: StreamRequest,
  service: Service | undefined,
  slices: readonly EndpointSlice[],
): StreamEntry | string {
  const key = `${wish.namespace}/${wish.service}`;
  const until = "the port is not served until it does";
  if (service === undefined) return `Service ${key} does not exist; ${until}`;
  const name = protocol.toUpperCase();
  const ports = (service.spec?.ports ?? []).filter((port) => (port.protocol ?? "TCP") === name);
  const port = findPort({ ...service, spec: { ...service.spec, ports } }, wish.servicePort);
  if (port === undefined) return `Service ${key} has no ${name} port ${wish.servicePort}; ${until}`;
  return {
    id,
    protocol,
    port: wish.port,
    target: {
      backend: `${key}:${wish.servicePort}`,
      endpoints: endpointsOf(service, port, slices),
      connectMs: times.connectMs,
      idleMs: protocol === "tcp" ? times.tcpIdleMs : times.udpIdleMs,
      tries: times.tries,
      ...(wish.sendProxy ? { sendProxy: 1 } : {}),
    },
    ...(wish.acceptProxy ? { acceptProxy: true } : {}),
  };
}
