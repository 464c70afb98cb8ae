import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { oneOf, parseBool, parseInteger, parseObjectKey, textOf } from "../values.ts";

const secretKey = `${nginx}auth-tls-secret`;
const verifyKey = `${nginx}auth-tls-verify-client`;
const depthKey = `${nginx}auth-tls-verify-depth`;
const pageKey = `${nginx}auth-tls-error-page`;
const passKey = `${nginx}auth-tls-pass-certificate-to-upstream`;

/**
 * `auth-tls-secret`: clients of the Ingress's hosts show a certificate of the authorities in the Secret (`ca.crt`, and
 * `ca.crl` for what they revoked). Over TLS that holds for the whole host; plain HTTP, which is redirected on hosts with
 * TLS, is refused by the routes of this Ingress.
 */
export const clientCertificate: AnnotationGroup = {
  name: "client-certificate",
  keys: [secretKey, verifyKey, depthKey, pageKey, passKey],
  parse(reader) {
    const expected = "namespace/name of a Secret in the Ingress's own namespace";
    const secret = reader.read(secretKey, parseSecret(reader.namespace), "deny", expected);
    const words = ["on", "off", "optional", "optional_no_ca"] as const;
    const verify = reader.read(verifyKey, oneOf(words), "ignore", "on, off, optional or optional_no_ca") ?? "on";
    const depth = reader.read(depthKey, parseDepth, "ignore", "a number") ?? 1;
    const errorPage = reader.read(pageKey, parsePage, "drop", "a URL with http: or https:");
    const passCertificate = reader.read(passKey, parseBool, "drop", "true or false") ?? false;
    if (secret === undefined || verify === "off") return {};
    const effect: RouteEffect = (draft) => {
      return { ...draft, filters: [...draft.filters, { type: "client-certificate" }] };
    };
    const settings = { secret, verify, depth, passCertificate, ...(errorPage === undefined ? {} : { errorPage }) };
    return {
      clientAuth: settings,
      references: { secrets: [secret] },
      ...(verify === "on" ? { effect } : {}),
    };
  },
};

/** ingress-nginx wants the namespace to be named. */
function parseSecret(namespace: string): (text: string) => string | undefined {
  const parse = parseObjectKey(namespace);
  return (text) => (text.includes("/") ? parse(text) : undefined);
}

function parseDepth(text: string): number | undefined {
  const depth = parseInteger(text);
  return depth === undefined || depth < 0 || depth > 100 ? undefined : depth;
}

const parsePage = textOf(/^https?:\/\/[-._~A-Za-z0-9/:?&=%#+@,;]+$/);
