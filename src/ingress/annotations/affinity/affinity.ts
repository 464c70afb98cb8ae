import type { Affinity } from "#dataplane/table.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { oneOf, parseBool, parseInteger, parseUrl, textOf } from "../values.ts";

const affinityKey = `${nginx}affinity`;
const modeKey = `${nginx}affinity-mode`;
const nameKey = `${nginx}session-cookie-name`;
const pathKey = `${nginx}session-cookie-path`;
const domainKey = `${nginx}session-cookie-domain`;
const expiresKey = `${nginx}session-cookie-expires`;
const maxAgeKey = `${nginx}session-cookie-max-age`;
const secureKey = `${nginx}session-cookie-secure`;
const sameSiteKey = `${nginx}session-cookie-samesite`;
const conditionalKey = `${nginx}session-cookie-conditional-samesite-none`;
const changeKey = `${nginx}session-cookie-change-on-failure`;

const usualName = "INGRESSCOOKIE";
const word = textOf(/^[-A-Za-z0-9_.]+$/);

/** `affinity: cookie`: a client stays with its endpoint, by a cookie that this Ingress's rules give. */
export const affinity: AnnotationGroup = {
  name: "affinity",
  keys: [
    affinityKey,
    modeKey,
    nameKey,
    pathKey,
    domainKey,
    expiresKey,
    maxAgeKey,
    secureKey,
    sameSiteKey,
    conditionalKey,
    changeKey,
  ],
  parse(reader) {
    const seconds = (key: string) => reader.read(key, parseInteger, "ignore", "a number of seconds");
    const flag = (key: string) => reader.read(key, parseBool, "ignore", "true or false") ?? false;
    const type = reader.read(affinityKey, oneOf(["cookie"]), "ignore", "cookie");
    const [expiresS, maxAgeS] = [seconds(expiresKey), seconds(maxAgeKey)];
    const domain = reader.read(domainKey, word, "ignore", "a host name");
    const sameSite = reader.read(sameSiteKey, oneOf(["None", "Lax", "Strict"]), "ignore", "None, Lax or Strict");
    const path = reader.read(pathKey, parseUrl, "ignore", "a path of letters, digits and -._~/:?&=");
    const parts: Omit<Affinity, "path"> = {
      type: "affinity",
      cookie: reader.read(nameKey, word, "ignore", "letters, digits and -_.") ?? usualName,
      mode: reader.read(modeKey, oneOf(["balanced", "persistent"]), "ignore", "balanced or persistent") ?? "balanced",
      secure: flag(secureKey),
      conditionalSameSite: flag(conditionalKey),
      changeOnFailure: flag(changeKey),
      ...(domain === undefined ? {} : { domain }),
      ...(expiresS === undefined ? {} : { expiresS }),
      ...(maxAgeS === undefined ? {} : { maxAgeS }),
      ...(sameSite === undefined ? {} : { sameSite }),
    };
    const effect: RouteEffect = (draft, facts) => {
      if (type === undefined || !facts.ruled) return draft;
      const filter: Affinity = { ...parts, path: path ?? facts.path };
      return { ...draft, filters: [...draft.filters, filter] };
    };
    return { effect };
  },
};
