import { mayEdit } from "#dataplane/filters/edits.ts";
import type { RouteDraft, RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseObjectKey } from "../values.ts";

const key = `${nginx}custom-headers`;

/**
 * `custom-headers`: the fields of a ConfigMap, written into every answer as they are. A field that may not be set closes
 * the routes, as in ingress-nginx: it may be one that protects.
 */
export const customHeaders: AnnotationGroup = {
  name: "custom-headers",
  keys: [key],
  parse(reader, options) {
    const expected = "the name of a ConfigMap in the Ingress's own namespace";
    const configMap = reader.read(key, parseObjectKey(reader.namespace), "deny", expected);
    if (configMap === undefined) return {};
    const allowed = options.allowedResponseHeaders;
    const effect: RouteEffect = (draft, facts) => {
      const found = facts.configMap(configMap);
      if (found === "pending") return { ...draft, isDenied: true };
      if (found === "missing") return closed(draft, `ConfigMap ${configMap} does not exist`);
      const fields = Object.entries(found.data ?? {});
      for (const [name, value] of fields) {
        const shown = `${JSON.stringify(name)} of ConfigMap ${configMap}`;
        if (!mayEdit(name)) return closed(draft, `${shown} is no field that may be set`);
        if (/[\0\r\n]/.test(value)) return closed(draft, `${shown} has a value with a line break`);
        if (allowed !== undefined && !allowed.includes(name)) {
          return closed(draft, `${shown} is not in global-allowed-response-headers`);
        }
      }
      return { ...draft, filters: [...draft.filters, { type: "response-headers", set: fields }] };
    };
    return { effect, references: { configMaps: [configMap] } };
  },
};

function closed(draft: RouteDraft, reason: string): RouteDraft {
  const message = `${key}: ${reason}; all routes of the Ingress answer 503 until this is put right`;
  const finding = { field: `metadata.annotations[${key}]`, code: "custom-headers-unusable", message };
  return { ...draft, isDenied: true, findings: [...(draft.findings ?? []), finding] };
}
