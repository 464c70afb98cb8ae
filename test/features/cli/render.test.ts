import assert from "node:assert/strict";
import { test } from "node:test";
import { createRenderer, renderEvent, renderReach, styleFor } from "#cli/render.ts";
import type { Reach, ReportEvent } from "#roles/report.ts";

const reach: Reach = {
  urls: [{ url: "http://hello.localhost/", backend: "default/hello:80", endpoints: 3 }],
  services: [
    {
      name: "default/hello",
      type: "NodePort",
      clusterIP: "10.96.3.4",
      ports: "80:30080/TCP",
      nodePorts: ["172.30.0.11:30080"],
      endpoints: 3,
    },
  ],
  nodes: [{ name: "node-1", address: "172.30.0.11", pods: 1 }],
  dns: "10.96.0.10",
  clusterDomain: "cluster.local",
  api: "https://127.0.0.1:6443",
  kubeconfig: "/var/lib/fairlead/kubeconfig",
};

test("without a terminal each finished step is one plain line with its milliseconds", () => {
  const begun: ReportEvent = { type: "step", step: "api", text: "API server", state: "begun" };
  const done: ReportEvent = { type: "step", step: "api", text: "API server", state: "done", ms: 41.6 };
  assert.equal(renderEvent(begun, "plain"), "");
  assert.match(renderEvent(done, "plain"), /^✓ API server +42 ms\n$/);
});

test("on a terminal a begun step is shown at once and its line is taken over when it ends", () => {
  const begun = renderEvent({ type: "step", step: "api", text: "API server", state: "begun" }, "terminal");
  const done = renderEvent({ type: "step", step: "api", text: "API server", state: "done", ms: 5 }, "terminal");
  assert.ok(begun.includes("API server …") && !begun.endsWith("\n"));
  assert.ok(done.startsWith("\r\u001b[K") && done.endsWith("\n"));
});

test("an error shows what happened and, on a line of its own, what to do next", () => {
  const text = renderEvent(
    { type: "error", text: "port 6443 is taken", next: "choose another with --api-port" },
    "plain",
  );
  assert.equal(text, "✗ port 6443 is taken\n  choose another with --api-port\n");
});

test("the table names every URL, service, node port, node, the DNS address and the kubeconfig", () => {
  const text = renderReach(reach, false);
  for (const part of ["http://hello.localhost/", "10.96.3.4", "172.30.0.11:30080", "node-1", "dig @10.96.0.10"]) {
    assert.ok(text.includes(part), part);
  }
  assert.ok(text.includes("export KUBECONFIG=/var/lib/fairlead/kubeconfig"));
});

test("with --json every event is one JSON object a line", () => {
  const lines: string[] = [];
  const report = createRenderer(styleFor({ isTTY: true }, true), (text) => lines.push(text));
  report({ type: "notice", text: "port 80 is taken: Ingress takes 8080" });
  report({ type: "ready", reach, ms: 900 });
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as ReportEvent).type),
    ["notice", "ready"],
  );
  assert.ok(lines.every((line) => line.endsWith("}\n") && line.indexOf("\n") === line.length - 1));
});

test("a host that this machine may not resolve comes with the line that reaches it all the same", () => {
  const urls = [{ url: "http://kubia.example.com:8080/", backend: "default/kubia:80", endpoints: 1 }];
  const line = "curl --connect-to ::127.0.0.1: http://kubia.example.com:8080/";
  assert.ok(renderReach({ ...reach, urls }, false).includes(line));
  assert.ok(!renderReach(reach, false).includes("--connect-to"));
});
