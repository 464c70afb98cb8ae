import { kindByPath, type ServedKind } from "#api/kinds.ts";
import type { ObjectKey } from "#api/meta/object.ts";
import { ApiError } from "#api/meta/status.ts";
import type { Attributes } from "../auth/attributes.ts";
import { demand } from "../auth/authorize.ts";
import { answerBackup, backupPath } from "../backup.ts";
import type { AnswerDiscovery } from "../discovery/answer.ts";
import { notFound } from "../registry/errors.ts";
import { answerCreate } from "../rest/create.ts";
import { answerDelete, answerDeleteCollection } from "../rest/delete.ts";
import { answerList, readable } from "../rest/list.ts";
import { answerPatch } from "../rest/patch.ts";
import { answerBinding, answerEviction } from "../rest/pod-actions.ts";
import { sendItem } from "../rest/render.ts";
import { answerIssuer } from "../rest/issuer.ts";
import { answerReview, reviews } from "../rest/reviews.ts";
import { answerGetScale, answerUpdateScale } from "../rest/scale.ts";
import { answerTokenRequest } from "../rest/token-request.ts";
import { answerUpdate } from "../rest/update.ts";
import { answerWatch } from "../rest/watch.ts";
import { answerLog } from "../stream/log.ts";
import { serverVersion } from "../version.ts";
import type { Exchange } from "./exchange.ts";
import { negotiate } from "./negotiate.ts";
import { isAsked } from "./options.ts";
import { parseResourcePath, type ResourcePath } from "./path.ts";
import { sendText, sendValue } from "./respond.ts";

export interface Documents {
  readonly discovery: AnswerDiscovery;
  readonly openApi: (exchange: Exchange) => Promise<boolean>;
}

/** Answers one authenticated request. Rejects with `ApiError` for what is answered with a Status. */
export async function dispatch(exchange: Exchange, documents: Documents): Promise<void> {
  const { path, method } = exchange;
  const resource = parseResourcePath(path);
  if (resource === undefined) return answerPlainPath(exchange, documents);
  if (method === "HEAD" || method === "OPTIONS") throw wrongVerb();
  demand(exchange.parts.authorizer, exchange.user, attributesOf(exchange, resource));
  const review = reviews.find(({ group, plural }) => group === resource.group && plural === resource.plural);
  if (review !== undefined && resource.version === "v1" && resource.name === undefined) {
    if (review.namespaced !== (resource.namespace !== undefined)) return answerUnknown(exchange, resource);
    if (method !== "POST") throw wrongVerb();
    return answerReview(exchange, review, resource.namespace);
  }
  const served = kindByPath(resource.group, resource.version, resource.plural);
  if (served === undefined && method === "GET" && path === customKindsPath)
    return sendValue(exchange, 200, noCustomKinds);
  if (served === undefined) return answerUnknown(exchange, resource);
  if (served.version.warning !== undefined) exchange.warnings.add(served.version.warning);
  if (resource.subresource !== undefined) return answerSubresource(exchange, served, resource, resource.subresource);
  return answerResource(exchange, served, resource);
}

async function answerPlainPath(exchange: Exchange, documents: Documents): Promise<void> {
  const { path, method, user, parts } = exchange;
  demand(parts.authorizer, user, { verb: method === "GET" || method === "HEAD" ? "get" : method.toLowerCase(), path });
  if (/^\/(healthz|livez|readyz)(\/|$)/.test(path)) return sendText(exchange, 200, "ok");
  if (path === "/version" || path === "/version/") return sendValue(exchange, 200, serverVersion);
  if (method === "GET" && path === backupPath) return answerBackup(exchange);
  if (method === "GET" && (documents.discovery(exchange) || answerIssuer(exchange))) return;
  if (method === "GET" && path.startsWith("/openapi/") && (await documents.openApi(exchange))) return;
  sendText(exchange, 404, "404 page not found\n");
}

/**
 * kubectl looks here for what it finds no PATCH of in OpenAPI, as reviews, and gives up where there is no list
 * (`k8s.io/cli-runtime/pkg/resource/crd_finder.go`). There are none, and discovery does not offer them.
 */
const customKindsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const noCustomKinds = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinitionList",
  metadata: { resourceVersion: "1" },
  items: [],
};

/** An unknown resource of a version that is served is a Status; anything else plain text, as upstream has it. */
function answerUnknown({ parts, ...exchange }: Exchange, { group, version }: ResourcePath): void {
  const known = parts.served.some(({ version: other }) => other.group === group && other.version === version);
  if (known) throw new ApiError("NotFound", "the server could not find the requested resource", {});
  sendText({ parts, ...exchange }, 404, "404 page not found\n");
}

export function wrongVerb(): ApiError {
  return new ApiError("MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}

function isWatch({ query }: Exchange, { watch }: ResourcePath): boolean {
  return watch || isAsked(query.get("watch"));
}

const verbs: Readonly<Record<string, string>> = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

/**
 * What a request asks for (upstream: `apiserver/pkg/endpoints/request/requestinfo.go`). A Namespace counts as lying in
 * itself, and a collection of which one name is asked for as that one object.
 */
export function attributesOf(exchange: Exchange, resource: ResourcePath): Attributes {
  const { group, plural, subresource } = resource;
  const verbOfGet =
    resource.name === undefined || resource.watch ? (isWatch(exchange, resource) ? "watch" : "list") : "get";
  const verb = exchange.method === "GET" ? verbOfGet : (verbs[exchange.method] ?? exchange.method.toLowerCase());
  const fieldSelector = exchange.query.get("fieldSelector");
  const name = resource.name ?? (verb === "create" ? undefined : selectedName(fieldSelector));
  const namespace = group === "" && plural === "namespaces" ? resource.name : resource.namespace;
  return {
    verb: verb === "delete" && resource.name === undefined ? "deletecollection" : verb,
    group,
    resource: plural,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
    ...(fieldSelector === null ? {} : { fieldSelector }),
  };
}

function selectedName(selector: string | null): string | undefined {
  return selector === null ? undefined : /(?:^|,)metadata\.name==?([^,=]+)(?:,|$)/.exec(selector)?.[1];
}

function keyOf({ namespace, name = "" }: ResourcePath): ObjectKey {
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

async function answerResource(exchange: Exchange, served: ServedKind, resource: ResourcePath): Promise<void> {
  const { method, request } = exchange;
  const { namespace, name } = resource;
  const { namespaced } = served.definition.resource;
  if (!namespaced && namespace !== undefined) return answerUnknown(exchange, resource);
  const isCollection = name === undefined;
  // A whole collection is read across namespaces; an object, or a new one, lives in one, and collections go one by one.
  if (namespaced && namespace === undefined && (!isCollection || method === "POST" || method === "DELETE")) {
    if (isCollection) throw wrongVerb();
    return answerUnknown(exchange, resource);
  }
  const lists = method === "GET" && isCollection && !isWatch(exchange, resource);
  const form = negotiate(request.headers.accept, lists || (method === "DELETE" && isCollection));
  if (method === "GET" && (resource.watch || (isCollection && !lists))) {
    return answerWatch(exchange, served, { ...(namespace && { namespace }), ...(name && { name }) }, form);
  }
  if (isCollection) {
    if (method === "GET") return answerList(exchange, served, namespace, form);
    if (method === "POST") return answerCreate(exchange, served, namespace, form);
    if (method === "DELETE" && served.definition.resource.kind !== "Namespace") {
      return answerDeleteCollection(exchange, served, namespace, form);
    }
    throw wrongVerb();
  }
  const key = keyOf(resource);
  switch (method) {
    case "GET":
      return answerGet(exchange, served, key);
    case "PUT":
      return answerUpdate(exchange, served, key, undefined, form);
    case "PATCH":
      return answerPatch(exchange, served, key, undefined, form);
    case "DELETE":
      return answerDelete(exchange, served, key, form);
    default:
      throw wrongVerb();
  }
}

async function answerGet(exchange: Exchange, served: ServedKind, key: ObjectKey): Promise<void> {
  const form = negotiate(exchange.request.headers.accept, false);
  const { resource } = served.definition;
  const { registry } = exchange.parts;
  await readable(registry, exchange.query.get("resourceVersion") ?? "");
  const item = registry.get(resource.kind, key);
  if (item === undefined) throw notFound(resource, key.name);
  await sendItem(exchange, served, item, form);
}

async function answerSubresource(
  exchange: Exchange,
  served: ServedKind,
  resource: ResourcePath,
  subresource: string,
): Promise<void> {
  const { method } = exchange;
  const known = served.definition.subresources.find((name) => name === subresource);
  if (known === undefined) return answerUnknown(exchange, resource);
  const key = keyOf(resource);
  const form = negotiate(exchange.request.headers.accept, false);
  switch (`${method} ${known}`) {
    case "GET status":
      return answerGet(exchange, served, key);
    case "PUT status":
    case "PUT finalize":
      return answerUpdate(exchange, served, key, known as "status" | "finalize", form);
    case "PATCH status":
    case "PATCH scale":
      return answerPatch(exchange, served, key, known as "status" | "scale", form);
    case "GET scale":
      return answerGetScale(exchange, served, key, form);
    case "PUT scale":
      return answerUpdateScale(exchange, served, key, form);
    case "POST binding":
      return answerBinding(exchange, served, key);
    case "POST eviction":
      return answerEviction(exchange, key);
    case "POST token":
      return answerTokenRequest(exchange, key);
    case "GET log":
      return answerLog(exchange, key);
    case "GET exec":
    case "POST exec":
    case "GET attach":
    case "POST attach":
    case "GET portforward":
    case "POST portforward":
      throw new ApiError("BadRequest", "Upgrade request required");
    default:
      throw wrongVerb();
  }
}
