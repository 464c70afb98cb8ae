/** What one line of a `tcp-services` or `udp-services` ConfigMap asks for. */
export interface StreamWish {
  readonly port: number;
  readonly namespace: string;
  readonly service: string;
  /** The Service's port: its number, or its name. */
  readonly servicePort: string | number;
  /** The first `PROXY`: clients begin with a PROXY header. */
  readonly acceptProxy: boolean;
  /** The second: endpoints are sent one, of version 1. */
  readonly sendProxy: boolean;
}

/** One sentence instead, when the line cannot be used. */
export type StreamLine = StreamWish | string;

const nameForm = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * Reads `port: namespace/service:port[:PROXY[:PROXY]]` as ingress-nginx does (`getStreamServices`): anything but `PROXY`
 * in the last two places means nothing, so `ns/svc:80::PROXY` sends a header and expects none. UDP knows no PROXY.
 */
export function readStreamLine(protocol: "tcp" | "udp", key: string, value: string): StreamLine {
  const port = /^[1-9]\d{0,4}$/.test(key) ? Number(key) : 0;
  if (port < 1 || port > 65_535) return `the key must be a port between 1 and 65535, not ${JSON.stringify(key)}`;
  const [target = "", wanted = "", first = "", second = "", ...more] = value.trim().split(":");
  const [namespace = "", service = "", ...rest] = target.split("/");
  const form = `namespace/service:port${protocol === "tcp" ? "[:PROXY[:PROXY]]" : ""}`;
  if (rest.length > 0 || more.length > 0 || !nameForm.test(namespace) || !nameForm.test(service)) {
    return `the value must have the form ${form}, not ${JSON.stringify(value.slice(0, 100))}`;
  }
  const number = /^\d{1,5}$/.test(wanted) ? Number(wanted) : undefined;
  if (number === undefined ? !/^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/.test(wanted) : number < 1 || number > 65_535) {
    return `the port of the Service must be a number or a name, not ${JSON.stringify(wanted.slice(0, 100))}`;
  }
  const means = (text: string) => protocol === "tcp" && text.toUpperCase() === "PROXY";
  return {
    port,
    namespace,
    service,
    servicePort: number ?? wanted,
    acceptProxy: means(first),
    sendProxy: means(second),
  };
}
