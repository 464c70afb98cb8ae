import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseInteger, parsePathWithCapture, parseUrl } from "../values.ts";

const permanent = `${nginx}permanent-redirect`;
const permanentCode = `${nginx}permanent-redirect-code`;
const temporal = `${nginx}temporal-redirect`;
const temporalCode = `${nginx}temporal-redirect-code`;
const appRoot = `${nginx}app-root`;

/**
 * `permanent-redirect`, `temporal-redirect` (which goes first where both stand) and `app-root`. They answer before
 * anything else about a route is looked at: TLS, access, endpoints.
 */
export const redirect: AnnotationGroup = {
  name: "redirect",
  keys: [permanent, permanentCode, temporal, temporalCode, appRoot],
  parse(reader) {
    const toUrl = "a URL of letters, digits and -._~/:?&=";
    const temporary = reader.read(
      temporal,
      (text) => (/^https?:/.test(text) ? parseUrl(text) : undefined),
      "ignore",
      toUrl,
    );
    const lasting = reader.read(permanent, parseUrl, "drop", toUrl);
    const lastingStatus = inRange(reader.read(permanentCode, parseInteger, "drop", "a number"), 300, 308) ?? 301;
    const temporaryStatus = inRange(reader.read(temporalCode, parseInteger, "drop", "a number"), 300, 307) ?? 302;
    const location = temporary ?? lasting;
    const status = temporary === undefined ? lastingStatus : temporaryStatus;
    const effect: RouteEffect = (draft, { ruled, host }) => {
      if (location === undefined || (host === "*" && !ruled)) return draft;
      return { ...draft, filters: [...draft.filters, { type: "redirect", status, location }] };
    };
    const root = reader.read(
      appRoot,
      (text) => (text.startsWith("/") ? parsePathWithCapture(text) : undefined),
      "ignore",
      "a path that begins with /",
    );
    if (root?.includes("$")) {
      reader.fail(appRoot, "annotation-unsupported", "variables in the path are not supported yet", "ignore");
    }
    return { effect, ...(root === undefined || root.includes("$") ? {} : { appRoot: root }) };
  },
};

function inRange(status: number | undefined, from: number, to: number): number | undefined {
  return status === undefined || status < from || status > to ? undefined : status;
}
