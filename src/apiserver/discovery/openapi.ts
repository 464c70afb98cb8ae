import type { Exchange } from "../http/exchange.ts";
import { createDocument, sendDocument } from "./answer.ts";

type Document = ReturnType<typeof createDocument>;

const year = 365 * 24 * 3600;

/**
 * Answers `/openapi/v2` (JSON or gnostic protobuf), `/openapi/v3` and the documents of its index. They are compiled when
 * first asked for, since most servers never are. `false`: no such document.
 */
export function createOpenApi(): (exchange: Exchange) => Promise<boolean> {
  const documents = new Map<string, Document>();

  async function document(
    name: string,
    make: () => Promise<string | Uint8Array | undefined>,
  ): Promise<Document | undefined> {
    const known = documents.get(name);
    if (known !== undefined) return known;
    const body = await make();
    if (body === undefined) return undefined;
    const made = createDocument(body);
    documents.set(name, made);
    return made;
  }

  const v3 = (key: string) =>
    document(`v3 ${key}`, async () => {
      const { compileOpenApiV3 } = await import("#api/schema/openapi-v3.ts");
      const compiled = compileOpenApiV3(key);
      return compiled === undefined ? undefined : JSON.stringify(compiled);
    });

  async function index(): Promise<string> {
    const { openApiV3Keys } = await import("#api/schema/openapi-v3.ts");
    const paths: Record<string, object> = {};
    for (const key of openApiV3Keys())
      paths[key] = { serverRelativeURL: `/openapi/v3/${key}?hash=${hashOf(await v3(key))}` };
    return JSON.stringify({ paths });
  }

  return async (exchange) => {
    const { path, query, response } = exchange;
    if (path === "/openapi/v2") {
      const protobuf = /proto-openapi\.spec\.v2/.test(exchange.request.headers.accept ?? "");
      const found = await document(protobuf ? "v2 protobuf" : "v2", () => openApiV2(protobuf));
      const type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
      sendDocument(exchange, found as Document, protobuf ? { "Content-Type": type } : {});
      return true;
    }
    if (path === "/openapi/v3" || path === "/openapi/v3/") {
      sendDocument(exchange, (await document("v3", index)) as Document, {});
      return true;
    }
    if (!path.startsWith("/openapi/v3/")) return false;
    const key = path.slice("/openapi/v3/".length);
    const found = await v3(key);
    if (found === undefined) return false;
    const asked = query.get("hash");
    if (asked !== null && asked !== hashOf(found)) {
      response.writeHead(301, { Location: `/openapi/v3/${key}?hash=${hashOf(found)}` }).end();
      return true;
    }
    const expires = new Date(exchange.parts.registry.clock.now() + year * 1000).toUTCString();
    const forever = { "Cache-Control": "public, immutable", Expires: expires };
    sendDocument(exchange, found, asked === null ? { "Cache-Control": "no-cache, private" } : forever);
    return true;
  };
}

async function openApiV2(protobuf: boolean): Promise<string | Uint8Array> {
  const { compileOpenApiV2 } = await import("#api/schema/openapi-v2.ts");
  if (!protobuf) return JSON.stringify(compileOpenApiV2());
  const { renderOpenApiV2Protobuf } = await import("#api/schema/openapi-v2-protobuf.ts");
  return renderOpenApiV2Protobuf(compileOpenApiV2());
}

function hashOf(document: Document | undefined): string {
  return document === undefined ? "" : document.etag.slice(1, -1);
}
