import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createFakeClient } from "#client/fake.ts";
import { startIngressHttp, type RunningIngressHttp } from "#ingress/http/start.ts";
import { startIngress } from "#ingress/start.ts";
import { serviceOf } from "../../e2e/dataplane/entry.ts";
import { ask, deadPort, echoEndpoint, startPlane } from "../dataplane/harness.ts";
import { ingress, ruleFor } from "./world.ts";

const controller = { class: "test/ingress", namespace: "edge", pod: "edge-0" };

interface Face {
  readonly http: RunningIngressHttp;
  /** The port that serves the Ingress. */
  readonly entry: number;
  readonly good: number;
  readonly dead: number;
  get(path: string): Promise<{ readonly status: number; readonly text: string }>;
}

/** An Ingress of one good Service and one whose endpoint is dead, and the port that tells of it. */
async function startFace(t: TestContext): Promise<Face> {
  const { plane, port: entry } = await startPlane(t);
  const [good, dead] = [await echoEndpoint(t), await deadPort()];
  const rules = [ruleFor("web.test", "web"), ruleFor("dead.test", "dead"), ruleFor('a"b\\.test', "web")];
  const objects = [ingress("all", { rules }), ...serviceOf("web", [good]), ...serviceOf("dead", [dead])];
  const running = await startIngress({ client: createFakeClient(objects), dataplane: plane });
  t.after(() => running.stop());
  await running.ready;
  const facts = { dataplane: plane, ingress: running, version: "1.2.3", controller };
  const http = await startIngressHttp({ ...facts, address: "127.0.0.1", port: 0 });
  t.after(() => http.stop());
  return {
    http,
    entry,
    good,
    dead,
    async get(path) {
      const response = await fetch(`http://127.0.0.1:${http.port}${path}`);
      return { status: response.status, text: await response.text() };
    },
  };
}

/** Holds a text against the exposition format: each series once, under a head of its own name; gives their values. */
function readExposition(text: string): Map<string, number> {
  const values = new Map<string, number>();
  const heads = new Set<string>();
  let family = "";
  for (const line of text.trimEnd().split("\n")) {
    const [, head] = /^# TYPE (\S+) (?:counter|gauge|histogram)$/.exec(line) ?? [];
    if (head !== undefined) {
      assert.ok(!heads.has(head), `${head} has one head`);
      heads.add(head);
      family = head;
    }
    if (line.startsWith("#")) continue;
    const [, name = "", , value = ""] =
      /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (\d+(?:\.\d+)?(?:e-?\d+)?)$/.exec(line) ?? [];
    assert.notEqual(name, "", `a series: ${line}`);
    assert.equal(name.replace(/_(bucket|sum|count)$/, ""), family.replace(/_(count|sum)$/, ""), line);
    const series = line.slice(0, line.lastIndexOf(" "));
    assert.ok(!values.has(series), `${series} once`);
    values.set(series, Number(value));
  }
  return values;
}

test("metrics bear ingress-nginx's names and labels, and count what was served", async (t) => {
  const face = await startFace(t);
  for (let count = 0; count < 3; count += 1) await ask(t, face.entry, "GET /x", ["Host: web.test"]);
  await ask(t, face.entry, "PURGE /x", ["Host: web.test"]);
  await ask(t, face.entry, "GET /", ["Host: dead.test"]);
  const { status, text } = await face.get("/metrics");
  assert.equal(status, 200);
  const values = readExposition(text);
  const labels = (host: string, service: string) =>
    `namespace="dev",ingress="all",service="${service}",canary="",host="${host}",path="/"`;
  const own = 'controller_class="test/ingress",controller_namespace="edge",controller_pod="edge-0"';
  const requests = (status: number, method: string, rest: string) =>
    values.get(`nginx_ingress_controller_requests{status="${status}",method="${method}",${own},${rest}}`);
  assert.equal(requests(200, "GET", labels("web.test", "web")), 3);
  assert.equal(requests(200, "OTHER", labels("web.test", "web")), 1);
  assert.equal(requests(502, "GET", labels("dead.test", "dead")), 1);
  for (const name of [
    "request_duration_seconds",
    "response_duration_seconds",
    "header_duration_seconds",
    "request_size",
    "response_size",
    "bytes_sent",
  ]) {
    const count = (status: number, method: string, rest: string) =>
      values.get(`nginx_ingress_controller_${name}_count{status="${status}",method="${method}",${own},${rest}}`);
    assert.equal(count(200, "GET", labels("web.test", "web")), 3, name);
    assert.equal(count(200, "OTHER", labels("web.test", "web")), 1, name);
    assert.equal(count(502, "GET", labels("dead.test", "dead")), /response|header/.test(name) ? undefined : 1, name);
  }
  const connects = [...values].filter(([series]) => /connect_duration_seconds_count.*"web.test"/.test(series));
  assert.ok(connects.length > 0 && connects.every(([series]) => /status="200",method="(GET|OTHER)"/.test(series)));
  const endpoint = `{namespace="dev",service="dead",service_port="80",endpoint="127.0.0.1:${face.dead}"}`;
  assert.equal(values.get(`fairlead_endpoint_failures_total${endpoint}`), 1);
  assert.equal(values.get(`nginx_ingress_controller_build_info{${own},version="1.2.3"}`), 1);
});

test("every failed request is told with its hops, and some of the others as they were served", async (t) => {
  const face = await startFace(t);
  await ask(t, face.entry, "GET /lost?secret", ["Host: dead.test"]);
  await ask(t, face.entry, "GET /found", ["Host: web.test"]);
  const parse = (text: string) =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const failures = parse((await face.get("/failures")).text);
  assert.deepEqual(
    failures.map(({ path, status, hops }) => [path, status, hops]),
    [["/lost", 502, `route dev/all:dead.test/: backend dev/dead:80: endpoint 127.0.0.1:${face.dead}: refused`]],
  );
  const requests = parse((await face.get("/requests")).text);
  assert.deepEqual(
    requests.map(({ target, status, endpoints }) => [target, status, endpoints]),
    [
      ["/lost", 502, [`127.0.0.1:${face.dead}`]],
      ["/found", 200, [`127.0.0.1:${face.good}`]],
    ],
  );
});

test("health is good until it is said that the end has begun", async (t) => {
  const face = await startFace(t);
  assert.equal((await face.get("/healthz")).status, 200);
  face.http.beginDrain();
  assert.equal((await face.get("/healthz")).status, 500);
  assert.equal((await face.get("/nothing")).status, 404);
  const response = await fetch(`http://127.0.0.1:${face.http.port}/metrics`, { method: "POST" });
  assert.equal(response.status, 405);
});
