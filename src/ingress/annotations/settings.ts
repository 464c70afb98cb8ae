import type { Ingress } from "#api/networking/ingress/kind.ts";
import type { RouteSettings } from "#routing/l7/settings.ts";
import type { IngressOptions } from "../options.ts";
import { annotationGroups } from "./index.ts";
import { createReader } from "./reader.ts";

/**
 * Reads every annotation of an Ingress into what the compiler needs. Annotations that no group knows are left alone, as
 * ingress-nginx does; those with a bad value become problems of the class that ingress-nginx gives them.
 */
export function settingsOf(ingress: Ingress, options: IngressOptions): RouteSettings {
  const reader = createReader(ingress);
  const outcomes = annotationGroups.map((group) => group.parse(reader, options));
  const regexes = outcomes.flatMap(({ regex }) => regex ?? []);
  const appRoot = outcomes.find(({ appRoot }) => appRoot !== undefined)?.appRoot;
  const passthrough = outcomes.find(({ passthrough }) => passthrough !== undefined)?.passthrough;
  const clientAuth = outcomes.find(({ clientAuth }) => clientAuth !== undefined)?.clientAuth;
  const ciphers = outcomes.find(({ ciphers }) => ciphers !== undefined)?.ciphers;
  return {
    ...reader.outcome(),
    regex: (path) => regexes.some((regex) => regex(path)),
    effects: outcomes.flatMap(({ effect }) => effect ?? []),
    references: {
      secrets: outcomes.flatMap(({ references }) => references?.secrets ?? []),
      configMaps: outcomes.flatMap(({ references }) => references?.configMaps ?? []),
    },
    ...(appRoot === undefined ? {} : { appRoot }),
    ...(clientAuth === undefined ? {} : { clientAuth }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(passthrough === undefined ? {} : { passthrough }),
  };
}
