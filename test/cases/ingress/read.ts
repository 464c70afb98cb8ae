import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Secret } from "#api/core/secret/kind.ts";
import type { Service, ServicePort } from "#api/core/service/kind.ts";
import type { Ingress, IngressBackend, PathType } from "#api/networking/ingress/kind.ts";
import type { IngressClass } from "#api/networking/ingressclass/kind.ts";
import type { IngressInput } from "#routing/l7/table.ts";

/** One case of a case file: objects in short lines, and the lines of the table that they must give. */
export interface Case {
  readonly title: string;
  readonly objects: string;
  readonly expected: string;
}

export function splitCases(text: string): Case[] {
  return text
    .split(/^=== /m)
    .slice(1)
    .map((part) => {
      const [head = "", expected = ""] = part.split(/^=>\n?/m);
      const [title = "", ...objects] = head.split("\n");
      return { title: title.trim(), objects: objects.join("\n"), expected: expected.trim() };
    });
}

/** Certificates by common name, made by the runner. */
export type Pairs = (name: string) => { cert: string; key: string };

const prefixes: Record<string, string> = {
  nginx: "nginx.ingress.kubernetes.io",
  traefik: "traefik.ingress.kubernetes.io",
  k8s: "kubernetes.io",
};

const usual = [
  "service dev/web http:80",
  "slice dev/web http:8080 10.0.0.1",
  "service dev/api http:80",
  "slice dev/api http:8080 10.0.0.2",
].join("\n");

/** What lines such as `option load-balance: ewma` set for all Ingresses of a case. */
export function optionsIn(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^option ([a-z0-9-]+): (.*)$/gm)].map(([, key = "", value = ""]) => [key, value.trim()]),
  );
}

/** Reads the short lines; `bare` leaves out the two Services that every other case has. */
export function readObjects(text: string, pairs: Pairs): IngressInput {
  const input = { ingresses: [], classes: [], services: [], slices: [], secrets: [], configMaps: [] } as {
    ingresses: Ingress[];
    classes: IngressClass[];
    services: Service[];
    slices: EndpointSlice[];
    secrets: Secret[];
    configMaps: ConfigMap[];
  };
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !/^(\/\/|option )/.test(line));
  const all = lines.includes("bare") ? lines : [...usual.split("\n"), ...lines];
  for (const line of all) {
    const words = line.trim().split(/\s+/);
    const [kind = "", where = "", ...rest] = words;
    if (line.startsWith(" ")) addToIngress(input.ingresses.at(-1) as Ingress, line.trim(), words);
    else if (kind === "ingress") input.ingresses.push(ingressOf(where, rest, input.ingresses.length));
    else if (kind === "class") input.classes.push(classOf(where, rest[0] ?? ""));
    else if (kind === "service") input.services.push(serviceOf(where, rest));
    else if (kind === "slice") input.slices.push(sliceOf(where, rest, input.slices.length));
    else if (kind === "secret") input.secrets.push(secretOf(where, rest, pairs));
    else if (kind === "configmap") input.configMaps.push(configMapOf(where, rest));
    else if (kind !== "bare") throw new Error(`unknown line: ${line}`);
  }
  return input;
}

function metaOf(where: string): { namespace: string; name: string; resourceVersion: string } {
  const [namespace = "", name = ""] = where.split("/");
  return { namespace, name, resourceVersion: "1" };
}

function ingressOf(where: string, words: readonly string[], index: number): Ingress {
  const option = (name: string): string | undefined => {
    return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  };
  const second = Number(option("age") ?? index);
  const ingressClassName = option("class");
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      ...metaOf(where),
      uid: where,
      creationTimestamp: `2026-01-01T00:00:${String(second).padStart(2, "0")}Z`,
      annotations: {},
    },
    spec: ingressClassName === undefined ? {} : { ingressClassName },
  };
}

function addToIngress({ spec, metadata }: Ingress, line: string, words: readonly string[]): void {
  const annotation = /^(nginx|traefik|k8s)\/([^:]+): ?(.*)$/.exec(line);
  if (annotation !== null) {
    const [, prefix = "", name = "", value = ""] = annotation;
    const text = value.startsWith('"') ? (JSON.parse(value) as string) : value;
    (metadata.annotations ??= {})[`${prefixes[prefix]}/${name}`] = text;
    return;
  }
  const [first = "", second = "", path = "", arrow, backend = ""] = words;
  if (first === "tls") {
    const hosts = second === "-" ? {} : { hosts: second.split(",") };
    (spec.tls ??= []).push({ ...hosts, ...(path === "" || path === "-" ? {} : { secretName: path }) });
    return;
  }
  if (first === "default") {
    spec.defaultBackend = backendOf(path);
    return;
  }
  const host = first === "-" ? {} : { host: first };
  const rules = (spec.rules ??= []);
  if (arrow === undefined) {
    rules.push(host);
    return;
  }
  const entry = {
    ...(path === "-" ? {} : { path }),
    pathType: ({ Impl: "ImplementationSpecific" }[second] ?? second) as PathType,
    backend: backendOf(backend),
  };
  const last = rules.at(-1);
  if (last !== undefined && last.host === (first === "-" ? undefined : first) && last.http !== undefined) {
    last.http.paths.push(entry);
  } else rules.push({ ...host, http: { paths: [entry] } });
}

function backendOf(text: string): IngressBackend {
  if (text.startsWith("resource:")) return { resource: { kind: text.slice(9), name: "thing" } };
  const [name = "", port = ""] = text.split(":");
  return { service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } } };
}

function classOf(name: string, controller: string): IngressClass {
  return { apiVersion: "networking.k8s.io/v1", kind: "IngressClass", metadata: { name }, spec: { controller } };
}

function serviceOf(where: string, words: readonly string[]): Service {
  const external = words.find((word) => word.startsWith("external="))?.slice(9);
  const ports = words.flatMap((word): ServicePort[] => {
    const found = /^(?:([a-z-]+):)?(\d+)(?:->(\d+))?(?:=(\S+))?$/.exec(word);
    if (found === null) return [];
    const [, name, port, target, appProtocol] = found;
    const targetPort = target ? { targetPort: Number(target) } : {};
    return [{ ...(name ? { name } : {}), port: Number(port), ...targetPort, ...(appProtocol ? { appProtocol } : {}) }];
  });
  const spec = external === undefined ? { ports } : { type: "ExternalName" as const, externalName: external, ports };
  return { apiVersion: "v1", kind: "Service", metadata: metaOf(where), spec };
}

/** `slice dev/web http:8080 10.0.0.1 10.0.0.2!unready 10.0.0.3!leaving`, a port without name as `8080`. */
function sliceOf(where: string, [port = "", ...addresses]: readonly string[], index: number): EndpointSlice {
  const { namespace, name } = metaOf(where);
  const [portName, number] = port.includes(":") ? port.split(":") : ["", port];
  const states = {
    unready: { ready: false, serving: false, terminating: false },
    leaving: { ready: false, serving: true, terminating: true },
    gone: { ready: false, serving: false, terminating: true },
  };
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      namespace,
      name: `${name}-${index}`,
      resourceVersion: "1",
      labels: { "kubernetes.io/service-name": name },
    },
    addressType: addresses[0]?.includes(":") ? "IPv6" : "IPv4",
    ports: [{ name: portName ?? "", port: Number(number), protocol: "TCP" }],
    endpoints: addresses.map((text) => {
      const [address = "", state] = text.split("!");
      return { addresses: [address], conditions: states[state as keyof typeof states] ?? { ready: true } };
    }),
  };
}

/** `cert=NAME` and `key=NAME` take the pair made for that name, `junk` is no PEM, `-` leaves the field out;
 * `data:KEY=TEXT` is any other field, `\\n` a line's end in it. */
function secretOf(where: string, words: readonly string[], pairs: Pairs): Secret {
  const data: Record<string, string> = {};
  const fields = { cert: "tls.crt", key: "tls.key", ca: "ca.crt" } as const;
  for (const field of ["cert", "key", "ca"] as const) {
    const name = words.find((word) => word.startsWith(`${field}=`))?.slice(field.length + 1);
    if (name === undefined || name === "-") continue;
    const text = name === "junk" ? "junk" : pairs(name)[field === "key" ? "key" : "cert"];
    data[fields[field]] = Buffer.from(text).toString("base64");
  }
  for (const [key, text] of dataOf(words)) data[key] = Buffer.from(text).toString("base64");
  return { apiVersion: "v1", kind: "Secret", metadata: metaOf(where), type: "kubernetes.io/tls", data };
}

function dataOf(words: readonly string[]): [key: string, text: string][] {
  return words
    .filter((word) => word.startsWith("data:"))
    .map((word) => {
      const at = word.indexOf("=");
      return [word.slice(5, at), word.slice(at + 1).replaceAll("\\n", "\n")];
    });
}

function configMapOf(where: string, words: readonly string[]): ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: metaOf(where), data: Object.fromEntries(dataOf(words)) };
}
