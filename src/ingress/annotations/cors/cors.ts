import type { Filter } from "#dataplane/table.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseBool, parseInteger, parseList } from "../values.ts";

const enabled = `${nginx}enable-cors`;
const originKey = `${nginx}cors-allow-origin`;
const methodsKey = `${nginx}cors-allow-methods`;
const headersKey = `${nginx}cors-allow-headers`;
const exposeKey = `${nginx}cors-expose-headers`;
const credentialsKey = `${nginx}cors-allow-credentials`;
const maxAgeKey = `${nginx}cors-max-age`;

const usual = {
  methods: "GET, PUT, POST, DELETE, PATCH, OPTIONS",
  headers:
    "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization",
  maxAge: 1_728_000,
};

/** `scheme://host`, with `*.` in front of the host and a port as may be, or `null`, or `*`. */
const originPattern = /^(\*|null|[a-z][a-z0-9+.-]*:\/\/(\*\.)?[a-z0-9][a-z0-9.-]*(:\d{1,5})?)$/i;

/** Who may use the answers from pages of other origins. Origins that cannot be read are left out, one by one. */
export const cors: AnnotationGroup = {
  name: "cors",
  keys: [enabled, originKey, methodsKey, headersKey, exposeKey, credentialsKey, maxAgeKey],
  parse(reader) {
    const isOn = reader.read(enabled, parseBool, "ignore", "true or false") ?? false;
    const words = (pattern: RegExp) => (text: string) => (pattern.test(text) ? text : undefined);
    const names = words(/^[-_A-Za-z0-9]+(\s*,\s*[-_A-Za-z0-9]+)*$/);
    const given = parseList(reader.text(originKey) ?? "*");
    const origins = given.filter((origin) => originPattern.test(origin));
    if (origins.length < given.length) {
      const bad = given.filter((origin) => !originPattern.test(origin)).join(", ");
      const message = `${JSON.stringify(bad)} is no origin such as https://a.example; it is left out`;
      reader.fail(originKey, "annotation-invalid", message, "ignore");
    }
    const filter: Filter = {
      type: "cors",
      origins: given.length === 0 ? ["*"] : origins,
      methods:
        reader.read(methodsKey, words(/^[A-Za-z]+(\s*,\s*[A-Za-z]+)*$/), "ignore", "methods, parted by commas") ??
        usual.methods,
      headers: reader.read(headersKey, names, "ignore", "field names, parted by commas") ?? usual.headers,
      exposed: reader.read(
        exposeKey,
        (text) => (text === "*" ? text : names(text)),
        "ignore",
        "field names, parted by commas, or *",
      ),
      credentials: reader.read(credentialsKey, parseBool, "ignore", "true or false") ?? true,
      maxAge: reader.read(maxAgeKey, parseInteger, "ignore", "a number of seconds") ?? usual.maxAge,
    };
    const effect: RouteEffect = (draft) => (isOn ? { ...draft, filters: [...draft.filters, filter] } : draft);
    return { effect };
  },
};
