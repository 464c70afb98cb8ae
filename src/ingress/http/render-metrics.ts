import { label, renderHead, withLabels } from "#base/metric.ts";
import type { Counters, CountersSnapshot } from "#dataplane/counters.ts";
import type { HistogramValues, Histograms } from "#dataplane/observe/histograms.ts";
import type { RouteRow } from "../running.ts";
import { backendLabels, routeLabels } from "./labels.ts";

export interface IngressMetrics {
  readonly counters: CountersSnapshot;
  readonly routes: readonly RouteRow[];
  readonly version: string;
  readonly controller: ControllerLabels;
}

/** Who serves, by ingress-nginx's labels. */
export interface ControllerLabels {
  readonly class: string;
  /** The pod, and its namespace; empty outside of a cluster. */
  readonly namespace: string;
  readonly pod: string;
}

const prefix = "nginx_ingress_controller_";

/** The histograms of ingress-nginx and what each is made of. */
const histograms: readonly (readonly [name: string, of: keyof Histograms, help: string])[] = [
  ["request_duration_seconds", "requestSeconds", "The request processing time in seconds"],
  ["response_duration_seconds", "responseSeconds", "The time spent on receiving the response from the endpoint"],
  ["header_duration_seconds", "headerSeconds", "The time spent on receiving the first head from the endpoint"],
  ["connect_duration_seconds", "connectSeconds", "The time spent on establishing a connection with the endpoint"],
  ["request_size", "requestBytes", "The request length (head and body)"],
  ["response_size", "responseBytes", "The length of the endpoint's body"],
  ["bytes_sent", "sentBytes", "The number of bytes of bodies sent to clients"],
];

/**
 * The counters in the exposition format, by ingress-nginx's names where it has the same.
 */
export function renderIngressMetrics({ counters, routes, version, controller }: IngressMetrics): string {
  const { total, backends, endpoints, streams } = counters;
  const own = [
    label("controller_class", controller.class),
    label("controller_namespace", controller.namespace),
    label("controller_pod", controller.pod),
  ].join(",");
  const byRoute = gather(routeRows(counters, routes));
  const series = (
    name: string,
    type: "counter" | "gauge",
    help: string,
    rows: readonly (readonly [labels: string, value: number])[],
  ) => renderHead(name, type, help) + rows.map(([labels, value]) => `${name}${withLabels(labels)} ${value}\n`).join("");
  const each = (map: ReadonlyMap<string, readonly Counters[]>, value: (counters: Counters) => number) =>
    [...map].map(([labels, list]): [string, number] => [labels, list.reduce((sum, one) => sum + value(one), 0)]);
  // Backends that differ in how they are spoken to bear the same labels.
  const byBackend = gather([...backends].map(([id, one]) => [backendLabels(id), one]));
  const byStream = gather([...streams].map(([id, one]) => [label("stream", id), one]));
  const byEndpoint = gather(
    endpoints.map(({ backend, endpoint, counters }) => [
      `${backendLabels(backend)},${label("endpoint", endpoint)}`,
      counters,
    ]),
  );
  return [
    series(`${prefix}build_info`, "gauge", "The version of this program", [[`${own},${label("version", version)}`, 1]]),
    renderHead(`${prefix}requests`, "counter", "The total number of client requests"),
    ...[...byRoute].map(([labels, list]) => renderAnswers(`${own},${labels}`, list)),
    ...histograms.map(
      ([name, of, help]) =>
        renderHead(prefix + name, "histogram", help) +
        [...byRoute].map(([labels, list]) => renderObserved(prefix + name, `${own},${labels}`, of, list)).join(""),
    ),
    series(
      "fairlead_route_requests_open",
      "gauge",
      "Requests under way",
      each(byRoute, ({ open }) => open),
    ),
    series(
      "fairlead_route_retries_total",
      "counter",
      "Further tries",
      each(byRoute, ({ retries }) => retries),
    ),
    series(
      "fairlead_route_received_bytes_total",
      "counter",
      "Bytes of request bodies",
      each(byRoute, ({ bytesIn }) => bytesIn),
    ),
    series(
      "fairlead_backend_requests_total",
      "counter",
      "Requests",
      each(byBackend, ({ requests }) => requests),
    ),
    series(
      "fairlead_backend_requests_open",
      "gauge",
      "Requests under way",
      each(byBackend, ({ open }) => open),
    ),
    series(
      "fairlead_backend_overflows_total",
      "counter",
      "Requests that the backend's limits refused",
      each(byBackend, ({ overflows }) => overflows),
    ),
    series(
      "fairlead_backend_ejections_total",
      "counter",
      "How often an endpoint was left out because it kept failing",
      each(byBackend, ({ ejections }) => ejections),
    ),
    series(
      "fairlead_stream_connections_total",
      "counter",
      "TCP connections and UDP sessions",
      each(byStream, ({ requests }) => requests),
    ),
    series(
      "fairlead_stream_connections_open",
      "gauge",
      "Those that are open",
      each(byStream, ({ open }) => open),
    ),
    series(
      "fairlead_endpoint_requests_total",
      "counter",
      "Tries",
      each(byEndpoint, ({ requests }) => requests),
    ),
    series(
      "fairlead_endpoint_failures_total",
      "counter",
      "Tries without an answer",
      each(byEndpoint, ({ failures }) => failures),
    ),
    series(
      "fairlead_endpoint_requests_open",
      "gauge",
      "Requests under way",
      each(byEndpoint, ({ open }) => open),
    ),
    renderHead("fairlead_endpoint_response_duration_seconds", "histogram", "From the request to the answer's end"),
    ...[...byEndpoint].map(([labels, list]) =>
      renderHistogram(
        "fairlead_endpoint_response_duration_seconds",
        labels,
        list.map(({ histograms }) => histograms.responseSeconds),
      ),
    ),
    series(`${prefix}nginx_process_connections`, "gauge", "current number of client connections with state", [
      [`${own},state="active"`, total.open],
    ]),
    series(`${prefix}nginx_process_connections_total`, "counter", "total number of connections with state", [
      [`${own},state="accepted"`, total.accepted],
    ]),
    series(`${prefix}nginx_process_requests_total`, "counter", "total number of client requests", [
      [own, total.requests],
    ]),
  ].join("");
}

/** Counters under the labels that they share: a rule may need several routes. */
function gather(rows: readonly (readonly [labels: string, counters: Counters])[]): Map<string, Counters[]> {
  const byLabels = new Map<string, Counters[]>();
  for (const [labels, counters] of rows) {
    if (!isIdle(counters)) byLabels.set(labels, [...(byLabels.get(labels) ?? []), counters]);
  }
  return byLabels;
}

/** What nobody has asked for is not told: most of many routes are idle, and each would be dozens of lines. */
function isIdle({ requests, open }: Counters): boolean {
  return requests === 0 && open === 0;
}

function routeRows({ routes: counted }: CountersSnapshot, rows: readonly RouteRow[]): [string, Counters][] {
  return rows.flatMap((row): [string, Counters][] => {
    const counters = counted.get(row.id);
    return counters === undefined || isIdle(counters) ? [] : [[routeLabels(row), counters]];
  });
}

function renderAnswers(labels: string, list: readonly Counters[]): string {
  const sums = new Map<string, number>();
  for (const { method, status, requests } of list.flatMap(({ answers }) => answers)) {
    const key = withLabels(`${label("status", String(status))},${label("method", method)},${labels}`);
    sums.set(key, (sums.get(key) ?? 0) + requests);
  }
  return [...sums].map(([labels, value]) => `${prefix}requests${labels} ${value}\n`).join("");
}

/** The histogram of a route for each method and status that it answered. */
function renderObserved(name: string, labels: string, of: keyof Histograms, list: readonly Counters[]): string {
  const byAnswer = new Map<string, HistogramValues[]>();
  for (const { method, status, histograms } of list.flatMap(({ observed }) => observed)) {
    const key = `${label("status", String(status))},${label("method", method)},${labels}`;
    byAnswer.set(key, [...(byAnswer.get(key) ?? []), histograms[of]]);
  }
  return [...byAnswer].map(([key, all]) => renderHistogram(name, key, all)).join("");
}

function renderHistogram(name: string, labels: string, all: readonly HistogramValues[]): string {
  const [first] = all;
  if (first === undefined) return "";
  let total = 0;
  const buckets = first.counts.map((_, bucket) => {
    total += all.reduce((sum, { counts }) => sum + (counts[bucket] ?? 0), 0);
    return `${name}_bucket${withLabels(labels, `le="${first.bounds[bucket] ?? "+Inf"}"`)} ${total}\n`;
  });
  if (total === 0) return "";
  const sum = all.reduce((whole, { sum }) => whole + sum, 0);
  return `${buckets.join("")}${name}_sum${withLabels(labels)} ${sum}\n${name}_count${withLabels(labels)} ${total}\n`;
}
