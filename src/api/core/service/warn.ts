import type { Service } from "./kind.ts";

/** Texts for `Warning:` headers: things that are allowed but will not do what one may think. */
export function warnAboutService(_service: Service): string[] {
  return [];
}
