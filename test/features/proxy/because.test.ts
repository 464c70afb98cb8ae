import assert from "node:assert/strict";
import { test } from "node:test";
import { compileService } from "#routing/l4/compile.ts";
import { service, slice } from "./objects.ts";

test("an entry names the Service and slices it comes from, and the slices that had no such port", () => {
  const web = service("web", { ports: [{ name: "http", port: 80, targetPort: "web" }] }, "5");
  const good = slice("web", ["10.244.1.1"], {
    name: "web-1",
    resourceVersion: "6",
    ports: [{ name: "http", port: 8080 }],
  });
  const bad = slice("web", ["10.244.1.2"], {
    name: "web-2",
    resourceVersion: "7",
    ports: [{ name: "metrics", port: 9090 }],
  });
  const { ports, problems } = compileService(web, [good, bad]);
  assert.deepEqual(problems, []);
  assert.deepEqual(ports[0]?.because, {
    from: [
      { kind: "Service", namespace: "dev", name: "web", revision: "5", field: "spec.ports[0]" },
      { kind: "EndpointSlice", namespace: "dev", name: "web-1", revision: "6" },
    ],
    losers: [
      {
        kind: "EndpointSlice",
        namespace: "dev",
        name: "web-2",
        revision: "7",
        field: "ports",
        reason: 'it has the ports "metrics"/TCP, not "http"/TCP',
      },
    ],
  });
});

test("a port that no slice has is a problem of the Service, with what to do", () => {
  const web = service("web", { ports: [{ name: "http", port: 80 }] });
  const { ports, problems } = compileService(web, [
    slice("web", ["10.244.1.2"], { ports: [{ name: "web", port: 8080 }] }),
  ]);
  assert.deepEqual(ports[0]?.endpoints, []);
  assert.deepEqual(
    problems.map(({ code, at }) => [code, at.name, at.field]),
    [["port-not-in-slices", "web", "spec.ports[0]"]],
  );
  assert.match(problems[0]?.message ?? "", /^Service dev\/web: no slice has port "http"\/TCP; give /);
});

test("a Service that is not the proxy's to serve says why", () => {
  const labelled = service("a");
  labelled.metadata.labels = { "service.kubernetes.io/service-proxy-name": "other" };
  const reasons = [
    labelled,
    service("b", { clusterIP: "None" }),
    service("c", { type: "ExternalName", externalName: "example.com", clusterIP: undefined }),
    service("d", { clusterIP: undefined }),
    service("e", { clusterIP: "fd00::1" }),
  ].map((each) => compileService(each, []));
  assert.deepEqual(
    reasons.map(({ skipped, ports, problems }) => [skipped?.code, ports.length, problems.length]),
    [
      ["other-proxy", 0, 0],
      ["headless", 0, 0],
      ["external-name", 0, 0],
      ["no-cluster-ip", 0, 0],
      ["other-family", 0, 0],
    ],
  );
});
