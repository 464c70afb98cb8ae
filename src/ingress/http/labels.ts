import { label } from "#base/metric.ts";
import type { RouteRow } from "../running.ts";

/** The labels of a route as ingress-nginx has them; `canary` is always empty here. */
export function routeLabels({ id, host, path, backend }: RouteRow): string {
  const [, namespace = "", ingress = ""] = /^([^/]*)\/([^:]*):/.exec(id) ?? [];
  return [
    label("namespace", namespace),
    label("ingress", ingress),
    label("service", serviceOf(backend).service),
    label("canary", ""),
    label("host", host),
    label("path", path),
  ].join(",");
}

/** The labels of a backend, whose id is `dev/web:http`. */
export function backendLabels(backend: string): string {
  const { namespace, service, port } = serviceOf(backend);
  return [label("namespace", namespace), label("service", service), label("service_port", port)].join(",");
}

function serviceOf(backend: string): { namespace: string; service: string; port: string } {
  const [, namespace = "", service = "", port = ""] = /^([^/ ]+)\/([^: ]+):([^[ ]*)(?:\[.*)?$/.exec(backend) ?? [];
  return { namespace, service, port };
}
