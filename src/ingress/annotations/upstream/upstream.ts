import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { oneOf, parseServerName } from "../values.ts";

const protocolKey = `${nginx}backend-protocol`;
const vhost = `${nginx}upstream-vhost`;
const protocols = ["HTTP", "HTTPS", "AUTO_HTTP", "GRPC", "GRPCS", "FCGI"] as const;

/** How endpoints are spoken to: `backend-protocol` HTTP or HTTPS, and `upstream-vhost` as the Host they see. */
export const upstream: AnnotationGroup = {
  name: "upstream",
  keys: [protocolKey, vhost],
  parse(reader) {
    const given = reader.read(protocolKey, oneOf(protocols), "ignore", `one of ${protocols.join(", ")}`) ?? "HTTP";
    if (given !== "HTTP" && given !== "HTTPS") {
      const message = `${given} is not supported yet, endpoints are spoken to by HTTP`;
      reader.fail(protocolKey, "annotation-unsupported", message, "ignore");
    }
    const host = reader.read(vhost, parseServerName, "drop", "a host name");
    const effect: RouteEffect = (draft) => {
      const protocol = given === "HTTPS" ? "https" : "http";
      if (host === undefined) return { ...draft, protocol };
      const filters = [...draft.filters, { type: "request-headers", set: [["host", host]] } as const];
      return { ...draft, protocol, filters };
    };
    return { effect };
  },
};
