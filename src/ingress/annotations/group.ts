import type { References, RouteEffect, RouteSettings } from "#routing/l7/settings.ts";
import type { IngressOptions } from "../options.ts";
import type { AnnotationReader } from "./reader.ts";

/**
 * Annotations that belong together: what they are called, how they are read, and what they do to a route. Groups stand
 * in `index.ts` in the order in which a request meets their effects.
 */
export interface AnnotationGroup {
  readonly name: string;
  /** Full names of every annotation that the group understands. */
  readonly keys: readonly string[];
  /** Bad values go to the reader, which knows what each class of error means. */
  readonly parse: (reader: AnnotationReader, options: IngressOptions) => GroupOutcome;
}

export interface GroupOutcome {
  readonly effect?: RouteEffect;
  /** Whether this rule path makes its host a regular-expression host. */
  readonly regex?: (path: string) => boolean;
  readonly appRoot?: string;
  readonly clientAuth?: RouteSettings["clientAuth"];
  readonly ciphers?: string;
  readonly passthrough?: RouteSettings["passthrough"];
  /** Objects that the effect reads. */
  readonly references?: Partial<References>;
}

/** The prefix of ingress-nginx's annotations. */
export const nginx = "nginx.ingress.kubernetes.io/";

/** The prefix of Traefik 1.7's annotations. */
export const traefik = "traefik.ingress.kubernetes.io/";
