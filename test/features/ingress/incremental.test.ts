import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { keyOf } from "#api/meta/object.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { Secret } from "#api/core/secret/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { Ingress, IngressPath } from "#api/networking/ingress/kind.ts";
import type { IngressClass } from "#api/networking/ingressclass/kind.ts";
import type { TableChange } from "#dataplane/table.ts";
import { settingsOf } from "#ingress/annotations/settings.ts";
import { acceptedClasses, acceptedControllers } from "#ingress/class.ts";
import { defaultOptions } from "#ingress/options.ts";
import { compileIngresses } from "#routing/l7/compile.ts";
import { createIngressCompiler } from "#routing/l7/compiler.ts";
import type { IngressCompilerOptions } from "#routing/l7/table.ts";
import { makePair } from "../../fakes/certificate.ts";
import { tlsSecret } from "./world.ts";

const options: IngressCompilerOptions = {
  controllers: acceptedControllers,
  legacyClasses: acceptedClasses,
  watchWithoutClass: true,
  implementationSpecific: "characters",
  settingsOf: (ingress) => settingsOf(ingress, defaultOptions),
};

const pairs: { cert: string; key: string }[] = [];

before(async () => {
  for (const names of ["a.x.example", "*.x.example", "a.x.example,b.x.example"]) pairs.push(await makePair(names));
});

const hosts = ["a.x.example", "b.x.example", "*.x.example", undefined];
const serviceNames = ["one", "two"];
const secretNames = ["s1", "s2"];
const host = fc.constantFrom(...hosts);
const meta = (name: string): { namespace: string; name: string } => ({ namespace: "dev", name });

const path = fc.record({
  path: fc.constantFrom("/", "/a", "/a/", "/a/b", "/c.d"),
  pathType: fc.constantFrom("Prefix" as const, "Exact" as const, "ImplementationSpecific" as const),
  backend: fc.record({
    service: fc.record({
      name: fc.constantFrom(...serviceNames),
      port: fc.constantFrom({ number: 80 }, { name: "http" }, { number: 81 }),
    }),
  }),
}) satisfies fc.Arbitrary<IngressPath>;

const annotations = fc.constantFrom<Record<string, string>>(
  {},
  {},
  { "nginx.ingress.kubernetes.io/rewrite-target": "/x" },
  { "nginx.ingress.kubernetes.io/force-ssl-redirect": "true" },
  { "nginx.ingress.kubernetes.io/backend-protocol": "HTTPS" },
  { "nginx.ingress.kubernetes.io/auth-url": "http://a/" },
  { "nginx.ingress.kubernetes.io/app-root": "/a" },
  { "traefik.ingress.kubernetes.io/rewrite-target": "/" },
  { "kubernetes.io/ingress.class": "other" },
);

const anIngress: fc.Arbitrary<Ingress> = fc
  .record({
    name: fc.constantFrom("i1", "i2", "i3"),
    second: fc.integer({ min: 0, max: 3 }),
    className: fc.constantFrom(undefined, undefined, "c1"),
    annotations,
    rules: fc.array(fc.record({ host, paths: fc.array(path, { minLength: 1, maxLength: 3 }) }), { maxLength: 3 }),
    tls: fc.array(fc.record({ host, secretName: fc.constantFrom(...secretNames, undefined) }), { maxLength: 2 }),
    withDefault: fc.boolean(),
  })
  .map(({ name, second, className, annotations, rules, tls, withDefault }) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { ...meta(name), annotations, creationTimestamp: `2026-01-01T00:00:0${second}Z`, uid: name },
    spec: {
      ...(className === undefined ? {} : { ingressClassName: className }),
      ...(withDefault ? { defaultBackend: { service: { name: "one", port: { number: 80 } } } } : {}),
      rules: rules.map(({ host, paths }) => ({ ...(host === undefined ? {} : { host }), http: { paths } })),
      tls: tls.map(({ host, secretName }) => ({
        ...(host === undefined ? {} : { hosts: [host] }),
        ...(secretName === undefined ? {} : { secretName }),
      })),
    },
  }));

const aService: fc.Arbitrary<Service> = fc
  .record({ name: fc.constantFrom(...serviceNames), named: fc.boolean(), external: fc.boolean() })
  .map(({ name, named, external }) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: meta(name),
    spec: {
      ...(external ? { type: "ExternalName" as const, externalName: "out.example" } : {}),
      ports: [{ port: 80, ...(named ? { name: "http" } : {}) }],
    },
  }));

const aSlice: fc.Arbitrary<EndpointSlice> = fc
  .record({
    name: fc.constantFrom("x", "y"),
    service: fc.constantFrom(...serviceNames),
    portName: fc.constantFrom("", "http"),
    ready: fc.array(fc.boolean(), { maxLength: 3 }),
  })
  .map(({ name, service, portName, ready }) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...meta(name), labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    endpoints: ready.map((ready, index) => ({
      addresses: [`10.0.${name === "x" ? 1 : 2}.${index}`],
      conditions: { ready },
    })),
    ports: [{ name: portName, port: 8080 }],
  }));

const aSecret: fc.Arbitrary<Secret> = fc
  .record({ name: fc.constantFrom(...secretNames), pair: fc.integer({ min: 0, max: 2 }), whole: fc.boolean() })
  .map(({ name, pair, whole }) => {
    const found = pairs[pair] ?? assert.fail("no pair");
    return tlsSecret(name, whole ? found : { ...found, key: "junk" });
  });

const aClass: fc.Arbitrary<IngressClass> = fc
  .constantFrom("fairlead.dev/ingress", "example.com/other")
  .map((controller) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "IngressClass",
    metadata: { name: "c1" },
    spec: { controller },
  }));

type Any = Ingress | Service | EndpointSlice | Secret | IngressClass;
const step = fc.record({
  object: fc.oneof({ weight: 4, arbitrary: anIngress }, aService, aSlice, aSecret, aClass),
  isRemoved: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  isTaken: fc.boolean(),
});

test("any order of changes gives what a compile of all objects gives, and the changes add up to it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const compiler = createIngressCompiler(options);
      const objects = new Map<string, Any>();
      const tables = { hosts: new Map(), backends: new Map(), certificates: new Map() };
      const take = (): void => replay(tables, compiler.take("1"));
      for (const name of secretNames) compiler.secret(`dev/${name}`, undefined);
      for (const { object, isRemoved, isTaken } of steps) {
        const key = keyOf(object);
        const after = isRemoved ? undefined : object;
        if (after === undefined) objects.delete(`${object.kind} ${key}`);
        else objects.set(`${object.kind} ${key}`, after);
        if (object.kind === "Ingress") compiler.ingress(key, after as Ingress | undefined);
        else if (object.kind === "Service") compiler.service(key, after as Service | undefined);
        else if (object.kind === "EndpointSlice") compiler.slice(key, after as EndpointSlice | undefined);
        else if (object.kind === "Secret") compiler.secret(key, after as Secret | undefined);
        else compiler.ingressClass(key, after as IngressClass | undefined);
        if (isTaken) take();
      }
      take();
      const ofKind = <T extends Any>(kind: string): T[] => {
        return [...objects.values()].filter((object): object is T => object.kind === kind);
      };
      const full = compileIngresses(
        {
          ingresses: ofKind<Ingress>("Ingress"),
          classes: ofKind<IngressClass>("IngressClass"),
          services: ofKind<Service>("Service"),
          slices: ofKind<EndpointSlice>("EndpointSlice"),
          secrets: ofKind<Secret>("Secret"),
        },
        options,
      );
      assert.deepEqual(compiler.result(), full);
      assert.deepEqual(tables.hosts, full.hosts);
      assert.deepEqual(tables.backends, full.backends);
      assert.deepEqual(tables.certificates, full.certificates);
      for (const { routes, certificate } of full.hosts.values()) {
        assert.equal(new Set(routes.map(({ id }) => id)).size, routes.length, "route ids are unique in a host");
        assert.ok(certificate === undefined || full.certificates.has(certificate), "a named certificate exists");
        for (const { target } of routes) {
          if (target.type === "backend") assert.ok(full.backends.has(target.backend), "a named backend exists");
        }
      }
    }),
    { numRuns: 300 },
  );
});

function replay(
  tables: Record<"hosts" | "backends" | "certificates", Map<string, unknown>>,
  change: TableChange | undefined,
): void {
  if (change === undefined) return;
  for (const part of ["hosts", "backends", "certificates"] as const) {
    for (const [key, entry] of change[part]) {
      if (entry === undefined) tables[part].delete(key);
      else tables[part].set(key, entry);
    }
  }
}
