import { createHash } from "node:crypto";
import type { Exchange } from "../http/exchange.ts";
import { sendBytes, sendJson, type Headers } from "../http/respond.ts";
import { compileDiscovery, groupVersionOf, type GroupEntry } from "./model.ts";
import { renderAggregated, renderApiVersions, renderGroup, renderGroupList, renderResourceList } from "./render.ts";

export type AnswerDiscovery = (exchange: Exchange) => boolean;

/**
 * Answers `/api`, `/apis` and what is below them down to a version. `false`: the path names no document, and is
 * somebody else's or nobody's. Documents are made when first asked for.
 */
export function createDiscovery(served: Exchange["parts"]["served"]): AnswerDiscovery {
  let groups: GroupEntry[] | undefined;
  const documents = new Map<string, Document>();

  const document = (name: string, make: (groups: GroupEntry[]) => object): Document => {
    const known = documents.get(name);
    if (known !== undefined) return known;
    groups ??= compileDiscovery(served);
    const made = createDocument(JSON.stringify(make(groups)));
    documents.set(name, made);
    return made;
  };

  return (exchange) => {
    const path = exchange.path.replace(/\/$/, "");
    if (path === "/api" || path === "/apis") {
      const isCore = path === "/api";
      const version = aggregatedVersion(exchange.request.headers.accept);
      if (version !== undefined) {
        const make = (all: GroupEntry[]) =>
          renderAggregated(
            all.filter(({ group }) => (group === "") === isCore),
            version,
          );
        const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
        sendDocument(exchange, document(`${path} ${version}`, make), { "Content-Type": type });
        return true;
      }
      const { headers } = exchange.request;
      // HTTP/2 has another name for it.
      const address = String(headers.host ?? headers[":authority"] ?? "");
      if (isCore) sendJson(exchange, 200, JSON.stringify(renderApiVersions(address)), vary);
      else sendDocument(exchange, document(path, renderGroupList), vary);
      return true;
    }
    groups ??= compileDiscovery(served);
    const [, root, first = "", second, ...more] = path.split("/");
    if (more.length > 0 || (root !== "api" && root !== "apis")) return false;
    const [group, version] = root === "api" ? ["", first] : [first, second];
    if (root === "api" && second !== undefined) return false;
    const found = groups.find((entry) => entry.group === group);
    if (found === undefined || (root === "apis" && group === "")) return false;
    if (version === undefined) {
      sendDocument(
        exchange,
        document(path, () => renderGroup(found)),
        {},
      );
      return true;
    }
    const resources = found.versions.find((entry) => entry.version === version)?.resources;
    if (resources === undefined) return false;
    sendDocument(
      exchange,
      document(path, () => renderResourceList(groupVersionOf(group, version), resources)),
      {},
    );
    return true;
  };
}

interface Document {
  readonly body: Buffer;
  readonly etag: string;
}

export function createDocument(body: string | Uint8Array): Document {
  const bytes = typeof body === "string" ? Buffer.from(body) : Buffer.from(body);
  return { body: bytes, etag: `"${createHash("sha512").update(bytes).digest("hex").toUpperCase()}"` };
}

const vary = { Vary: "Accept" };

/** Sends a document that rarely changes: 304 when the client has it already. */
export function sendDocument(exchange: Exchange, { body, etag }: Document, headers: Headers): void {
  const { request, response } = exchange;
  const given = (request.headers["if-none-match"] ?? "").split(",");
  const common = { ...vary, "Cache-Control": "public", ETag: etag };
  if (given.some((tag) => tag.trim().replace(/^W\//, "") === etag)) {
    response.writeHead(304, common).end();
    return;
  }
  sendBytes(exchange, 200, body, { "Content-Type": "application/json", ...common, ...headers });
}

/** The first version of the aggregated form that the client lists, unless it prefers the plain one. */
function aggregatedVersion(accept: string | undefined): "v2" | "v2beta1" | undefined {
  for (const entry of (accept ?? "").split(",")) {
    const [type, ...parameters] = entry.split(";").map((part) => part.trim());
    if (type !== "application/json" && type !== "*/*") continue;
    if (!parameters.includes("as=APIGroupDiscoveryList")) return undefined;
    if (!parameters.includes("g=apidiscovery.k8s.io")) continue;
    if (parameters.includes("v=v2")) return "v2";
    if (parameters.includes("v=v2beta1")) return "v2beta1";
  }
  return undefined;
}
