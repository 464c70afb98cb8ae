import { nginx, traefik, type AnnotationGroup } from "../group.ts";
import { parseBool } from "../values.ts";
import { later, snippets, traefikGuards, traefikLater } from "./names.ts";

const canary = `${nginx}canary`;
const prefixed = (prefix: string, names: readonly string[]): string[] => names.map((name) => `${prefix}${name}`);
const snippetKeys = prefixed(nginx, snippets);
const guardKeys = prefixed(traefik, traefikGuards);
const laterKeys = [...prefixed(nginx, later), ...prefixed(traefik, traefikLater)];

/** Annotations that are known and not honoured: each is named, and none of them silently opens a door. */
export const refused: AnnotationGroup = {
  name: "refused",
  keys: [...snippetKeys, ...guardKeys, ...laterKeys, canary],
  parse(reader) {
    for (const key of snippetKeys) {
      if (reader.has(key))
        reader.fail(key, "annotation-risky", "risky annotation: text for a configuration file", "drop");
    }
    for (const key of guardKeys) {
      if (reader.has(key)) reader.fail(key, "annotation-unsupported", "access control is not supported yet", "deny");
    }
    for (const key of laterKeys) {
      if (reader.has(key)) reader.fail(key, "annotation-unsupported", "not supported yet", "ignore");
    }
    if (reader.read(canary, parseBool, "ignore", "true or false") === true) {
      const message = "canaries are not supported yet, all traffic stays with the primary Ingress";
      reader.fail(canary, "annotation-unsupported", message, "drop");
    }
    return {};
  },
};
