import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test, type TestContext } from "node:test";
import { silentLog } from "#base/log.ts";
import type { Span } from "#dataplane/trace/span.ts";
import { defaultExport, startExporter } from "#dataplane/trace/exporter.ts";
import { Tracer } from "#dataplane/trace/tracer.ts";
import type { Filter } from "#dataplane/table.ts";
import { parseTraceparent, parseTracestate } from "#wire/trace-context.ts";
import { manualClock } from "../../fakes/clock.ts";
import { ask, deadPort, echoEndpoint, listening, simple, startPlane } from "./harness.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const parent = `00-${traceId}-${spanId}-01`;

test("traceparent is read strictly, and a later version as far as this one goes", () => {
  assert.deepEqual(parseTraceparent(parent), { traceId, spanId, isSampled: true });
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-00`)?.isSampled, false);
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-02`)?.isSampled, false);
  assert.equal(parseTraceparent(`cc-${traceId}-${spanId}-01-what-comes`)?.traceId, traceId);
  for (const wrong of [
    "",
    `ff-${traceId}-${spanId}-01`,
    `00-${"0".repeat(32)}-${spanId}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}-1`,
    `00-${traceId}-${spanId}-01-x`,
    `cc-${traceId}-${spanId}-01.x`,
    `00-${traceId.slice(1)}-${spanId}-01`,
    ` ${parent}`,
    `${parent}, ${parent}`,
  ])
    assert.equal(parseTraceparent(wrong), undefined, wrong);
});

test("tracestate goes on whole or not at all", () => {
  assert.equal(parseTracestate("a=1, b@c=2 ,,\td/e*-_=x y"), "a=1,b@c=2,d/e*-_=x y");
  const many = (count: number) => Array.from({ length: count }, (_, at) => `k${at}=v`).join(",");
  assert.notEqual(parseTracestate(many(32)), undefined);
  for (const wrong of ["", ",", "a", "A=1", "a=", "a=1,a=2", "a=b=c", "a=\u00e4", `a=${"x".repeat(257)}`, many(33)])
    assert.equal(parseTracestate(wrong), undefined, wrong);
});

interface Traced {
  readonly spans: Span[];
  /** The two fields as the endpoint sees them. */
  readonly told: (fields: readonly string[]) => Promise<{ parent: string | undefined; state: string | undefined }>;
  readonly stop: () => Promise<void>;
}

async function startTraced(t: TestContext, filters: readonly Filter[]): Promise<Traced> {
  const spans: Span[] = [];
  const { plane, port } = await startPlane(t, {
    tracing: {
      sampling: { sampler: "AlwaysOn", ratio: 1, parentBased: true },
      export: (more) => void spans.push(...more),
    },
  });
  await plane.apply(simple([await echoEndpoint(t)], { filters }));
  return {
    spans,
    async told(fields) {
      const { body } = await ask(t, port, "GET /x?secret", fields);
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, "im").exec(body)?.[1];
      return { parent: field("traceparent"), state: field("tracestate") };
    },
    stop: () => plane.stop({ drainMs: 0 }),
  };
}

test("a client's trace goes on with this hop as the parent, and what breaks a rule begins a new one", async (t) => {
  const { spans, told, stop } = await startTraced(t, [{ type: "tracing", name: "/", trust: true }]);
  const good = await told([`traceparent: ${parent}`, "tracestate: a=1", "TraceState: b=2"]);
  assert.match(good.parent ?? "", new RegExp(`^00-${traceId}-(?!${spanId})[0-9a-f]{16}-01$`));
  assert.equal(good.state, "a=1,b=2");
  const broken = await told([`traceparent: ${parent}`, `traceparent: ${parent}`, "tracestate: a=1"]);
  assert.match(broken.parent ?? "", new RegExp(`^00-(?!${traceId})[0-9a-f]{32}-[0-9a-f]{16}-01$`));
  assert.equal(broken.state, undefined);
  const unwanted = await told([`traceparent: ${parent.slice(0, -2)}00`]);
  assert.match(unwanted.parent ?? "", new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
  await stop();
  assert.deepEqual(
    spans.map(({ traceId, spanId, parentId, name, served }) => [traceId, spanId, parentId, name, served.status]),
    [good, broken].map(({ parent: text = "" }, at) => [
      text.split("-")[1],
      text.split("-")[2],
      at === 0 ? spanId : undefined,
      "GET /",
      200,
    ]),
  );
});

test("a client that is not believed begins no trace here, and routes that are not traced change nothing", async (t) => {
  const fields = [`traceparent: ${parent}`, "tracestate: a=1"];
  const untrusted = await startTraced(t, [{ type: "tracing", name: "/", trust: false }]);
  const begun = await untrusted.told(fields);
  assert.match(begun.parent ?? "", new RegExp(`^00-(?!${traceId})[0-9a-f]{32}-[0-9a-f]{16}-01$`));
  assert.equal(begun.state, undefined);
  const plain = await startTraced(t, []);
  assert.deepEqual(await plain.told(fields), { parent, state: "a=1" });
  await plain.stop();
  assert.deepEqual(plain.spans, []);
});

test("samplers choose by the trace's id, so that all hops choose alike, and a client's choice holds", () => {
  const tracer = (sampler: "AlwaysOn" | "AlwaysOff" | "TraceIdRatioBased", parentBased = true) =>
    new Tracer({ sampler, ratio: 0.25, parentBased }, manualClock(), () => {});
  const ids = Array.from({ length: 4096 }, (_, at) => at.toString(16).padStart(3, "0") + "0".repeat(10));
  const chosen = ids.filter((id) => tracer("TraceIdRatioBased").samples(id, undefined));
  assert.equal(chosen.length, 1024);
  assert.equal(tracer("AlwaysOff").samples(traceId, true), true);
  assert.equal(tracer("AlwaysOff", false).samples(traceId, true), false);
  assert.equal(tracer("AlwaysOn").samples(traceId, false), false);
});

function spanOf(at: number): Span {
  const served = {
    at: 1_767_225_600_123.5,
    client: "192.0.2.1",
    user: "",
    method: "GET",
    target: "/a?secret",
    protocol: "HTTP/1.1",
    host: "web.test",
    status: at === 0 ? 502 : 200,
    bytesSent: 1,
    requestBytes: 1,
    referer: "",
    userAgent: 'quote"',
    ms: 23.5,
    backend: "dev/web:80",
    route: "dev/web:web.test/",
    endpoints: ["10.0.0.1:80", "10.0.0.2:80"],
    upstreamStatus: 0,
    upstreamMs: 0,
    requestId: "",
  };
  return { traceId, spanId: String(at).padStart(16, "0"), parentId: spanId, isSampled: true, name: "GET /", served };
}

interface Collector {
  readonly port: number;
  readonly bodies: string[];
  arrived(count: number): Promise<void>;
}

async function startCollector(t: TestContext, status = 200): Promise<Collector> {
  const bodies: string[] = [];
  let wake = () => {};
  const server = createServer((request, response) => {
    assert.equal(`${request.method} ${request.url}`, "POST /v1/traces");
    assert.equal(request.headers["content-type"], "application/json");
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      bodies.push(body);
      response.writeHead(status).end("{}");
      wake();
    });
  });
  return {
    port: await listening(t, server),
    bodies,
    async arrived(count) {
      while (bodies.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

test("spans go to the collector in batches, as OTLP has them", async (t) => {
  const collector = await startCollector(t);
  const clock = manualClock();
  const options = { ...defaultExport, host: "127.0.0.1", port: collector.port, maxBatchSize: 3 };
  const exporter = startExporter(options, { clock, log: silentLog, version: "1.2.3" });
  exporter.add([spanOf(0), spanOf(1)], 0);
  assert.equal(clock.pending(), 1);
  clock.advance(5000);
  await collector.arrived(1);
  const [first = ""] = collector.bodies;
  const { resourceSpans } = JSON.parse(first) as { resourceSpans: Record<string, unknown>[] };
  const resource = resourceSpans[0] ?? assert.fail("nothing was told");
  assert.deepEqual(resource["resource"], {
    attributes: [{ key: "service.name", value: { stringValue: "nginx" } }],
  });
  const [scope] = resource["scopeSpans"] as { spans: Record<string, unknown>[] }[];
  assert.equal(scope?.spans.length, 2);
  const [span] = scope?.spans ?? [];
  assert.deepEqual(
    [span?.["traceId"], span?.["parentSpanId"], span?.["name"], span?.["kind"], span?.["status"]],
    [traceId, spanId, "GET /", 2, { code: 2 }],
  );
  assert.equal(span?.["startTimeUnixNano"], "1767225600100000000");
  assert.equal(span?.["endTimeUnixNano"], "1767225600123500000");
  const attributes = span?.["attributes"] as { key: string; value: Record<string, string> }[];
  const valueOf = (key: string) => attributes.find((one) => one.key === key)?.value;
  assert.deepEqual(valueOf("http.response.status_code"), { intValue: "502" });
  assert.deepEqual(valueOf("url.path"), { stringValue: "/a" });
  assert.deepEqual(valueOf("fairlead.endpoint"), { stringValue: "10.0.0.2:80" });
  assert.deepEqual(valueOf("http.request.resend_count"), { intValue: "1" });
  assert.doesNotMatch(first, /secret/);
  // A full batch does not wait, and what is left goes out with the end.
  exporter.add([1, 2, 3, 4].map(spanOf), 0);
  await exporter.stop();
  assert.equal(collector.bodies.length, 3);
});

test("a collector that is not there costs its spans and no more, and that is said once a minute", async () => {
  const said: Record<string, unknown>[] = [];
  const log = { ...silentLog, warn: (fields: Record<string, unknown>) => void said.push(fields) };
  const clock = manualClock();
  const options = { ...defaultExport, host: "127.0.0.1", port: await deadPort(), maxQueueSize: 10 };
  const exporter = startExporter(options, { clock, log, version: "1" });
  exporter.add(
    Array.from({ length: 25 }, (_, at) => spanOf(at)),
    0,
  );
  assert.deepEqual(
    said.map(({ spans, reason }) => [spans, reason]),
    [[15, "the collector does not keep up"]],
  );
  await exporter.stop();
  clock.advance(60_000);
  exporter.add([spanOf(1)], 5);
  assert.deepEqual([said[1]?.["spans"], said.length], [15, 2], "ten that were refused, and five that came too fast");
  await exporter.stop();
});

test("a worker holds a few thousand spans for a second at most", () => {
  const clock = manualClock();
  const passed: [number, number][] = [];
  const sampling = { sampler: "AlwaysOn", ratio: 1, parentBased: true } as const;
  const tracer = new Tracer(sampling, clock, (spans, dropped) => passed.push([spans.length, dropped]));
  for (let count = 0; count < 3000; count += 1) tracer.add(spanOf(count));
  clock.advance(1000);
  assert.deepEqual(passed, [[2048, 952]]);
  assert.equal(clock.pending(), 0);
});
