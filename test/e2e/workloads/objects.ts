import type { TestCluster } from "../cluster.ts";

type Json = Record<string, unknown>;

/** Applies objects as `kubectl apply -f` does. */
export function apply(cluster: TestCluster, ...items: Json[]): void {
  cluster.kubectlWith(JSON.stringify({ apiVersion: "v1", kind: "List", items }), "apply", "-f", "-");
}

export function service(name: string, spec: Json): Json {
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec: { selector: { app: name }, ...spec } };
}

export function pod(name: string, container: Json, spec: Json = {}): Json {
  const containers = [{ name: "c", ...container }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 1, containers, ...spec },
  };
}

/** Runs a script of `sh` as a container. */
export function shell(script: string): Json {
  return { image: "debian", command: ["sh", "-c", script] };
}

/** Echo servers: HTTP on 8080, raw TCP on 9000 and UDP on 9001. */
export function echo(name: string, replicas: number): Json {
  const ports = [
    { name: "http", containerPort: 8080 },
    { name: "tcp", containerPort: 9000 },
    { name: "udp", containerPort: 9001, protocol: "UDP" },
  ];
  const readinessProbe = { httpGet: { path: "/health", port: "http" }, periodSeconds: 1 };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "c", image: "fairlead/echo:v1", ports, readinessProbe }] },
      },
    },
  };
}

/** One rule: this host, this path, to port 80 of this Service. */
export function ingress(name: string, host: string, backend: string, extra: IngressExtra = {}): Json {
  const { path = "/", annotations, tls, pathType = "Prefix" } = extra;
  const paths = [{ path, pathType, backend: { service: { name: backend, port: { number: 80 } } } }];
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, ...(annotations && { annotations }) },
    spec: { ...(tls && { tls: [{ hosts: [host], secretName: tls }] }), rules: [{ host, http: { paths } }] },
  };
}

export interface IngressExtra {
  path?: string;
  pathType?: string;
  annotations?: Record<string, string>;
  tls?: string;
}
