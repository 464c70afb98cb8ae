import type { ExternalAuth } from "#dataplane/table.ts";
import type { RouteDraft, RouteEffect, RouteFacts } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import type { AnnotationReader } from "../reader.ts";
import {
  oneOf,
  parseBool,
  parseFieldName,
  parseFieldNames,
  parseObjectKey,
  parseTemplate,
  parseUrlTemplate,
  textOf,
} from "../values.ts";
import { parseValid } from "./cache.ts";
import { readUrl, whomToAsk, type AskedUrl } from "../url.ts";

const urlKey = `${nginx}auth-url`;
const methodKey = `${nginx}auth-method`;
const signInKey = `${nginx}auth-signin`;
const parameterKey = `${nginx}auth-signin-redirect-param`;
const responseKey = `${nginx}auth-response-headers`;
const fieldsKey = `${nginx}auth-proxy-set-headers`;
const redirectKey = `${nginx}auth-request-redirect`;
const cookieKey = `${nginx}auth-always-set-cookie`;
const cacheKey = `${nginx}auth-cache-key`;
const durationKey = `${nginx}auth-cache-duration`;

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/**
 * `auth-url`: somebody else says who may come in. Whatever of it cannot be read closes the routes; ingress-nginx serves
 * without authentication for some of these, which is the one habit of it that is not kept.
 */
export const externalAuth: AnnotationGroup = {
  name: "external-auth",
  keys: [
    urlKey,
    methodKey,
    signInKey,
    parameterKey,
    responseKey,
    fieldsKey,
    redirectKey,
    cookieKey,
    cacheKey,
    durationKey,
  ],
  parse(reader) {
    const settings = readSettings(reader);
    const text = reader.read(urlKey, parseUrlTemplate, "drop", "a URL with known variables only");
    if (text === undefined) return {};
    const url = readUrl(text);
    if (typeof url === "string") {
      reader.fail(urlKey, "annotation-invalid", `${JSON.stringify(text)} cannot be asked: ${url}`, "deny");
      return {};
    }
    const { fieldsFrom, ...parts } = settings;
    const effect: RouteEffect = (draft, facts) => {
      const fields = fieldsFrom === undefined ? [] : fieldsOf(fieldsFrom, facts);
      if (fields === undefined) return { ...draft, isDenied: true };
      if (typeof fields === "string") return closed(draft, fieldsKey, fields);
      return guarded(draft, facts, url, { ...parts, ...(fields.length === 0 ? {} : { fields }) });
    };
    return { effect, ...(fieldsFrom === undefined ? {} : { references: { configMaps: [fieldsFrom] } }) };
  },
};

type Parts = Omit<ExternalAuth, "type" | "backend" | "host" | "target" | "timeouts">;

function readSettings(reader: AnnotationReader): Parts & { readonly fieldsFrom?: string } {
  const method = reader.read(methodKey, oneOf(methods), "deny", `one of ${methods.join(", ")}`);
  const signIn = reader.read(signInKey, parseUrlTemplate, "drop", "a URL with known variables only");
  const signInParameter = reader.read(parameterKey, textOf(/^[-._~A-Za-z0-9]+$/), "drop", "a parameter's name");
  const responseFields = reader.read(responseKey, parseFieldNames, "deny", "field names, parted by commas");
  const expected = "the name of a ConfigMap in the Ingress's own namespace";
  const fieldsFrom = reader.read(fieldsKey, parseObjectKey(reader.namespace), "deny", expected);
  const redirect = reader.read(redirectKey, parseUrlTemplate, "deny", "a URL with known variables only");
  const always = reader.read(cookieKey, parseBool, "deny", "true or false");
  const key = reader.read(cacheKey, parseTemplate, "deny", "text with known variables only");
  const valid = reader.read(durationKey, parseValid, "deny", "statuses and a time, such as 200 202 401 5m");
  const usual = [{ statuses: [200, 202, 401], ms: 300_000 }];
  return {
    responseFields: responseFields ?? [],
    ...(method === undefined ? {} : { method }),
    ...(signIn === undefined ? {} : { signIn }),
    ...(signInParameter === undefined ? {} : { signInParameter }),
    ...(fieldsFrom === undefined ? {} : { fieldsFrom }),
    ...(redirect === undefined ? {} : { redirect }),
    ...(always === true ? { alwaysSetCookie: true } : {}),
    ...(key === undefined ? {} : { cache: { key, valid: valid ?? usual } }),
  };
}

function guarded(draft: RouteDraft, { host }: RouteFacts, url: AskedUrl, parts: Parts): RouteDraft {
  const asked = whomToAsk(url, host);
  if (asked === undefined) return closed(draft, urlKey, `$host needs a rule with a full host name, ${host} is none`);
  const { backend, authority } = asked;
  const filter: ExternalAuth = {
    type: "external-auth",
    backend: backend.id,
    host: authority,
    target: url.target,
    timeouts: draft.timeouts,
    ...parts,
  };
  return { ...draft, filters: [...draft.filters, filter], backends: [...(draft.backends ?? []), backend] };
}

/** Names and values of a ConfigMap, or what is wrong with it; `undefined` while it is not loaded. */
function fieldsOf(key: string, facts: RouteFacts): readonly (readonly [string, string])[] | string | undefined {
  const found = facts.configMap(key);
  if (found === "pending") return undefined;
  if (found === "missing") return `ConfigMap ${key} does not exist`;
  const fields = Object.entries(found.data ?? {});
  const bad = fields.find(([name, value]) => {
    return parseFieldName(name) === undefined || parseTemplate(value) === undefined;
  });
  return bad === undefined ? fields : `ConfigMap ${key} has ${JSON.stringify(bad[0])}, which is no field with a value`;
}

function closed(draft: RouteDraft, key: string, reason: string): RouteDraft {
  const message = `${key}: ${reason}; all routes of the Ingress answer 503 until this is put right`;
  const finding = { field: `metadata.annotations[${key}]`, code: "auth-url-unusable", message };
  return { ...draft, isDenied: true, findings: [...(draft.findings ?? []), finding] };
}
