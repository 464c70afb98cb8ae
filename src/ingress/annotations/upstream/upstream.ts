import type { RouteEffect } from "#routing/l7/settings.ts";
import type { BackendEntry } from "#dataplane/table.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { oneOf, parseServerName } from "../values.ts";

const protocolKey = `${nginx}backend-protocol`;
const vhost = `${nginx}upstream-vhost`;
const protocols = ["HTTP", "HTTPS", "AUTO_HTTP", "GRPC", "GRPCS", "FCGI"] as const;

/** What is spoken for each word; gRPC is HTTP/2 with prior knowledge. */
const spoken: Readonly<Record<(typeof protocols)[number], BackendEntry["protocol"] | undefined>> = {
  HTTP: "http",
  HTTPS: "https",
  GRPC: "h2",
  GRPCS: "h2s",
  AUTO_HTTP: undefined,
  FCGI: undefined,
};

/** How endpoints are spoken to: `backend-protocol`, and `upstream-vhost` as the Host they see. */
export const upstream: AnnotationGroup = {
  name: "upstream",
  keys: [protocolKey, vhost],
  parse(reader) {
    const given = reader.read(protocolKey, oneOf(protocols), "ignore", `one of ${protocols.join(", ")}`) ?? "HTTP";
    const protocol = spoken[given];
    if (protocol === undefined) {
      const message = `${given} is not supported yet, endpoints are spoken to by HTTP`;
      reader.fail(protocolKey, "annotation-unsupported", message, "ignore");
    }
    const host = reader.read(vhost, parseServerName, "drop", "a host name");
    const effect: RouteEffect = (draft) => {
      if (host === undefined) return { ...draft, protocol: protocol ?? "http" };
      const filters = [...draft.filters, { type: "request-headers", set: [["host", host]] } as const];
      return { ...draft, protocol: protocol ?? "http", filters };
    };
    return { effect };
  },
};
