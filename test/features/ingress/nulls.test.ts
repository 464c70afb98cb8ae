import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Service } from "#api/core/service/kind.ts";
import type { Secret } from "#api/core/secret/kind.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { Ingress } from "#api/networking/ingress/kind.ts";
import { settingsOf } from "#ingress/annotations/settings.ts";
import { defaultOptions } from "#ingress/options.ts";
import { compileIngresses } from "#routing/l7/compile.ts";
import { ingress, ruleFor, service, slice, tlsSecret } from "./world.ts";

/** Every place in an object below `metadata.name`, as a path. */
function placesIn(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const place = [...at, key];
    const isIdentity = place[0] === "kind" || (place[0] === "metadata" && ["name", "namespace"].includes(key));
    return isIdentity ? [] : [...(place.join() === "metadata" ? [] : [place]), ...placesIn(inner, place)];
  });
}

function without<T>(object: T, place: readonly string[], by: null | undefined): T {
  const copy = structuredClone(object);
  let at = copy as Record<string, unknown>;
  for (const step of place.slice(0, -1)) {
    const next = at[step];
    if (typeof next !== "object" || next === null) return copy;
    at = next as Record<string, unknown>;
  }
  const last = place.at(-1) ?? "";
  if (by === null) at[last] = null;
  else delete at[last];
  return copy;
}

const spec = {
  defaultBackend: { service: { name: "web", port: { number: 80 } } },
  tls: [{ hosts: ["a.example"], secretName: "tls" }],
  rules: [ruleFor("a.example", "web"), ruleFor("b.example", "web")],
};
const annotations = { "nginx.ingress.kubernetes.io/rewrite-target": "/x", "kubernetes.io/ingress.class": "nginx" };
const whole = {
  Ingress: ingress("bad", spec, annotations),
  Service: service("web"),
  EndpointSlice: slice("web", ["10.0.0.1"]),
  Secret: tlsSecret("tls", { cert: "c", key: "k" }),
};

test("fields that are missing or null in one object disturb nothing else", () => {
  const place = fc.constantFrom(...Object.keys(whole)).chain((kind) => {
    const places = placesIn(whole[kind as keyof typeof whole]);
    return fc.record({
      kind: fc.constant(kind),
      place: fc.constantFrom(...places),
      by: fc.constantFrom(null, undefined),
    });
  });
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 3 }), (holes) => {
      const objects = { ...whole } as Record<string, unknown>;
      for (const { kind, place, by } of holes) objects[kind] = without(objects[kind], place, by);
      const good = ingress("good", { rules: [ruleFor("good.example", "other")] });
      const compiled = compileIngresses(
        {
          ingresses: [objects["Ingress"] as Ingress, good],
          classes: [],
          services: [objects["Service"] as Service, service("other")],
          slices: [objects["EndpointSlice"] as EndpointSlice, slice("other", ["10.0.0.9"])],
          secrets: [objects["Secret"] as Secret],
        },
        {
          controllers: [],
          legacyClasses: ["nginx"],
          watchWithoutClass: true,
          implementationSpecific: "characters",
          settingsOf: (ingress) => settingsOf(ingress, defaultOptions),
        },
      );
      assert.equal(compiled.hosts.get("good.example")?.routes[0]?.target.type, "backend");
      assert.equal(compiled.backends.get("dev/other:80")?.endpoints.length, 1);
    }),
    { numRuns: 500 },
  );
});
