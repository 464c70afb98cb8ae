import type { PathMatch } from "#dataplane/table.ts";
import type { RouteEffect, RouteFacts } from "#routing/l7/settings.ts";
import { nginx, traefik, type AnnotationGroup } from "../group.ts";
import { oneOf, textOf } from "../values.ts";

const target = `${traefik}rewrite-target`;
const ruleType = `${traefik}rule-type`;
const types = ["PathPrefix", "PathPrefixStrip", "Path", "PathStrip"] as const;

/**
 * Traefik 1.7's `rewrite-target`, which replaces only the rule's path and keeps what follows it, and `rule-type`, whose
 * Strip forms take the path away and whose Path forms match nothing longer. An Ingress that has nginx's `rewrite-target`
 * too is read as nginx reads it.
 */
export const traefikRewrite: AnnotationGroup = {
  name: "traefik-rewrite",
  keys: [target, ruleType],
  parse(reader) {
    if (reader.has(`${nginx}rewrite-target`)) return {};
    const type = reader.read(ruleType, oneOf(types), "ignore", `one of ${types.join(", ")}`) ?? "PathPrefix";
    const path = textOf(/^\/[-._~A-Za-z0-9/:@!&'()*+,;=%]*$/);
    const given = reader.read(target, path, "ignore", "a path that begins with /");
    const to = given ?? (type.endsWith("Strip") ? "/" : undefined);
    const isExact = type.startsWith("Path") && !type.startsWith("PathPrefix");
    if (to === undefined && !isExact) return {};
    const effect: RouteEffect = (draft, facts) => {
      if (!facts.ruled) return draft;
      const exact = isExact || facts.pathType === "Exact";
      if (to === undefined) return { ...draft, match: { type: "exact", path: facts.path } };
      const { match, rewritten } = replacing(facts, to, exact);
      return { ...draft, match, filters: [...draft.filters, { type: "rewrite", to: rewritten }] };
    };
    return { effect };
  },
};

/**
 * What takes the same requests as the rule, in its case, with the rest of the path in group 1, and the path that goes to
 * the endpoint; a `/` joins the two where needed. An Exact rule has no rest.
 */
function replacing(
  { path, pathType }: RouteFacts,
  to: string,
  exact: boolean,
): { match: PathMatch; rewritten: string } {
  if (exact) return { match: { type: "exact", path }, rewritten: to };
  const start = to.replace(/\/$/, "");
  const quoted = path.replace(/\/$/, "").replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  const wholeElements = pathType === "Prefix" || path.endsWith("/");
  const rest = wholeElements ? "(?:/(.*))?$" : start === "" ? "/?(.*)" : "(.*)";
  const joint = wholeElements || start === "" ? "/" : "";
  return { match: { type: "regex", source: `(?-i:${quoted})${rest}` }, rewritten: `${start}${joint}$1` };
}
