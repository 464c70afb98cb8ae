import type { RouteEffect } from "#routing/l7/settings.ts";
import { compilePattern } from "#dataplane/pattern.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { oneOf, parseBool, parseInteger, parseObjectKey, textOf } from "../values.ts";

const secretKey = `${nginx}auth-tls-secret`;
const matchKey = `${nginx}auth-tls-match-cn`;
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
  keys: [secretKey, matchKey, verifyKey, depthKey, pageKey, passKey],
  parse(reader) {
    const expected = "namespace/name of a Secret in the Ingress's own namespace";
    const secret = reader.read(secretKey, parseSecret(reader.namespace), "deny", expected);
    const words = ["on", "off", "optional", "optional_no_ca"] as const;
    const verify = reader.read(verifyKey, oneOf(words), "ignore", "on, off, optional or optional_no_ca") ?? "on";
    const depth = reader.read(depthKey, parseDepth, "ignore", "a number") ?? 1;
    const errorPage = reader.read(pageKey, parsePage, "drop", "a URL with http: or https:");
    const passCertificate = reader.read(passKey, parseBool, "drop", "true or false") ?? false;
    const subject = reader.read(matchKey, parseSubject, "drop", "CN= and a regular expression");
    if (secret === undefined) {
      // What was to be closed to all but some stays closed.
      if (subject !== undefined) reader.fail(matchKey, "auth-tls-secret-missing", `it needs ${secretKey}`, "deny");
      return {};
    }
    if (verify === "off" && subject === undefined) return {};
    const bySubject = verify === "on" ? {} : { bySubject: true };
    const effect: RouteEffect = (draft) => {
      return { ...draft, filters: [...draft.filters, { type: "client-certificate", ...bySubject }] };
    };
    // Nobody is asked for a certificate with `off`, so that no subject can be right.
    if (verify === "off") {
      reader.fail(matchKey, "auth-tls-not-verified", `no certificate is asked for by ${verifyKey}: "off"`, "deny");
      return {};
    }
    const settings = {
      secret,
      verify,
      depth,
      passCertificate,
      ...(subject === undefined ? {} : { subject }),
      ...(errorPage === undefined ? {} : { errorPage }),
    };
    return {
      clientAuth: settings,
      references: { secrets: [secret] },
      ...(verify === "on" || subject !== undefined ? { effect } : {}),
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

/** ingress-nginx looks for the whole text, `CN=` included, anywhere in the subject. */
function parseSubject(text: string): string | undefined {
  return /^CN=./.test(text) && !/[\r\n\0"]/.test(text) && compilePattern(text) !== undefined ? text : undefined;
}

const parsePage = textOf(/^https?:\/\/[-._~A-Za-z0-9/:?&=%#+@,;]+$/);
