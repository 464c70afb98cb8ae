import fc from "fast-check";
import { apiVersionOf, servedKinds, type ServedKind } from "#api/kinds.ts";
import { encodeEnvelope, encodeMessage } from "../features/api/encode-protobuf.ts";
import { messageValue } from "../features/api/message-value.ts";

export interface HostileRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const workload = {
  spec: {
    selector: { matchLabels: { app: "a" } },
    template: { metadata: { labels: { app: "a" } }, spec: { containers: [{ name: "a", image: "nginx" }] } },
  },
};

type Value = Record<string, unknown>;

/** What is there to begin with: one object of most kinds, so that changes have something to change. */
export const seedObjects: readonly (readonly [path: string, object: object])[] = [
  ["/api/v1/namespaces", { metadata: { name: "default" } }],
  ["/api/v1/nodes", { metadata: { name: "a" } }],
  ["/apis/networking.k8s.io/v1/ingressclasses", { metadata: { name: "a" }, spec: { controller: "x.example/y" } }],
  ["/apis/networking.k8s.io/v1/servicecidrs", { metadata: { name: "a" }, spec: { cidrs: ["10.97.0.0/24"] } }],
  [
    "/apis/networking.k8s.io/v1/ipaddresses",
    { metadata: { name: "10.96.0.9" }, spec: { parentRef: { resource: "services", namespace: "default", name: "b" } } },
  ],
  ...(
    [
      ["/api/v1", "configmaps", { data: { data: "x" } }],
      ["/api/v1", "secrets", { stringData: { data: "x" } }],
      ["/api/v1", "serviceaccounts", {}],
      ["/api/v1", "services", { spec: { type: "NodePort", ports: [{ port: 80 }], selector: { app: "a" } } }],
      ["/api/v1", "endpoints", { subsets: [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 80 }] }] }],
      ["/api/v1", "pods", { spec: { containers: [{ name: "a", image: "nginx" }] } }],
      ["/apis/apps/v1", "deployments", workload],
      ["/apis/apps/v1", "replicasets", workload],
      ["/apis/apps/v1", "daemonsets", workload],
      ["/apis/apps/v1", "controllerrevisions", { data: { spec: {} }, revision: 1 }],
      [
        "/apis/networking.k8s.io/v1",
        "ingresses",
        { spec: { defaultBackend: { service: { name: "a", port: { number: 80 } } } } },
      ],
      [
        "/apis/discovery.k8s.io/v1",
        "endpointslices",
        { addressType: "IPv4", endpoints: [{ addresses: ["192.0.2.1"] }] },
      ],
      ["/apis/coordination.k8s.io/v1", "leases", { spec: { holderIdentity: "a" } }],
    ] as const
  ).map(
    ([group, plural, object]) =>
      [`${group}/namespaces/default/${plural}`, { metadata: { name: "a" }, ...object }] as const,
  ),
];

const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(null, "", 0, -1, 1e99, true, {}, [], [null], { $patch: "replace" }, "__proto__", "-"),
);
/** Mostly the plain value, now and then another. */
function mostly<T>(plain: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 7, arbitrary: fc.constant(plain) }, { weight: 1, arbitrary: other });
}

const names = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom("a", "a", "a", "b") },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }).map((text) => encodeURIComponent(text.toWellFormed())) },
  { weight: 1, arbitrary: fc.constantFrom("%zz", "..", "%2F", "", "constructor", "__proto__", "a".repeat(300)) },
);

/** Something else at one place of a value: another value, nothing, or one property more. */
function spoil(value: unknown, steps: readonly number[], wrong: unknown): unknown {
  const [step, ...rest] = steps;
  if (typeof value !== "object" || value === null || step === undefined) return wrong;
  if (Array.isArray(value)) {
    const at = value.length === 0 ? 0 : step % value.length;
    return [...value.slice(0, at), spoil(value[at], rest, wrong), ...value.slice(at + 1)];
  }
  const keys = Object.keys(value);
  const key = keys[step % (keys.length + 1)] ?? "unknown";
  return { ...value, [key]: spoil((value as Value)[key], rest, wrong) };
}

function objectOf(served: ServedKind): fc.Arbitrary<unknown> {
  const { definition, version } = served;
  const spoiled = fc.tuple(fc.array(fc.nat(20), { maxLength: 6 }), junk, fc.boolean());
  return fc.tuple(messageValue(version.schema), names, spoiled).map(([value, name, [steps, wrong, spoils]]) => {
    const metadata = { ...(value["metadata"] as Value | undefined), name, namespace: undefined };
    const { kind } = definition.resource;
    const object = { ...value, apiVersion: apiVersionOf(version), kind, metadata };
    return spoils ? spoil(object, steps, wrong) : object;
  });
}

const entry = { manager: "a", operation: "Apply", apiVersion: "v1", fieldsType: "FieldsV1" };

/** Merge patches that fit most kinds, spoiled or not. */
const mergePatch = fc
  .tuple(
    fc.constantFrom<unknown>(
      { metadata: { labels: { a: "b" }, annotations: { c: null }, finalizers: ["x.example/y"] } },
      { spec: { ports: [{ port: 81, name: "b", targetPort: "x" }], type: "LoadBalancer", replicas: 3 } },
      {
        spec: {
          $setElementOrder: [],
          "$setElementOrder/ports": [{ port: 80 }],
          ports: [{ $patch: "delete", port: 80 }],
        },
      },
      { spec: { template: { spec: { $retainKeys: ["containers"], containers: [{ name: "b", image: "x" }] } } } },
      { spec: { rules: [{ host: "*.example.org", http: { paths: [{ path: "/", pathType: "Exact" }] } }] } },
      { data: { b: "eA==" }, stringData: { c: "x" }, immutable: true, $patch: "merge" },
      { status: { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] }, replicas: 1, conditions: [{ type: "Ready" }] } },
      { metadata: { resourceVersion: "1", uid: "x" } },
      { metadata: { managedFields: [{ ...entry, fieldsV1: { "f:spec": { 'k:{"port":80}': {}, "v:1": {} } } }] } },
    ),
    fc.array(fc.nat(20), { maxLength: 6 }),
    junk,
    fc.boolean(),
  )
  .map(([patch, steps, wrong, spoils]) => (spoils ? spoil(patch, steps, wrong) : patch));

const pointer = fc
  .array(
    fc.constantFrom(
      "metadata",
      "managedFields",
      "spec",
      "ports",
      "0",
      "-",
      "labels",
      "~1",
      "~",
      "__proto__",
      "",
      "data",
      "status",
      "a",
      "selector",
    ),
    {
      maxLength: 5,
    },
  )
  .map((words) => words.map((word) => `/${word}`).join(""));
const jsonPatch = fc.array(
  fc.record(
    {
      op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test", "none"),
      path: pointer,
      from: pointer,
      value: junk,
    },
    { requiredKeys: [] },
  ),
  { maxLength: 4 },
);

const protobufType = "application/vnd.kubernetes.protobuf";
const applyType = "application/apply-patch+yaml";
const patchTypes = ["json-patch", "merge-patch", "strategic-merge-patch"].map((type) => `application/${type}+json`);

/** Bytes with the media type they claim to be of. */
function bodyOf(served: ServedKind, method: string): fc.Arbitrary<readonly [type: string, body: Buffer]> {
  const { definition, version } = served;
  const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value) ?? "");
  const any = fc.oneof(objectOf(served), mergePatch, jsonPatch, junk).map((value) => bytesOf(value));
  const anyType = fc.constantFrom(
    "application/json",
    "application/yaml",
    "",
    "text/plain",
    protobufType,
    applyType,
    ...patchTypes,
  );
  const protobuf = messageValue(version.schema).map((value) => {
    const raw = encodeMessage(version.schema, value);
    return Buffer.from(encodeEnvelope(apiVersionOf(version), definition.resource.kind, raw));
  });
  const cut = fc
    .tuple(fc.oneof(any, protobuf), fc.nat(400), fc.uint8Array({ maxLength: 3 }))
    .map(([bytes, at, more]) => Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at + more.length)]));
  const yaml = fc.constantFrom(
    "a: !!binary x\n",
    "? [a]\n: !!set {b}\n",
    "metadata: &a\n  x: *a\n",
    "- .inf\n- .nan\n",
  );
  const merges = fc.tuple(
    fc.constantFrom(...patchTypes.slice(1)),
    mergePatch.map((value) => bytesOf(value)),
  );
  const jsons = fc.tuple(
    fc.constant(patchTypes[0] ?? ""),
    jsonPatch.map((value) => bytesOf(value)),
  );
  const objects = fc.tuple(
    fc.constantFrom("", "application/json", "application/yaml"),
    objectOf(served).map((value) => bytesOf(value)),
  );
  const applied = fc.tuple(
    fc.constant(applyType),
    objectOf(served).map((value) => bytesOf(value)),
  );
  const binary = fc.tuple(fc.constant(protobufType), protobuf);
  return fc.oneof(
    {
      weight: 5,
      arbitrary: method === "PATCH" ? fc.oneof(merges, jsons, applied, applied) : fc.oneof(objects, objects, binary),
    },
    { weight: 1, arbitrary: fc.tuple(anyType, any) },
    { weight: 1, arbitrary: fc.tuple(anyType, cut) },
    {
      weight: 1,
      arbitrary: fc.tuple(
        fc.constant("application/yaml"),
        yaml.map((text) => Buffer.from(text)),
      ),
    },
  );
}

const selector = fc.oneof(
  fc.constantFrom("a=b", "a in (b,c),!d", "a notin ()", "a>1", "metadata.name=a", "spec.nodeName!=", "a==b,,", "!"),
  fc.string({ maxLength: 12, unit: fc.constantFrom("a", "=", "!", ",", "(", ")", " ", "<", "\\", "in", ".", "/") }),
);
const parameters: Readonly<Record<string, fc.Arbitrary<string>>> = {
  labelSelector: selector,
  fieldSelector: selector,
  limit: fc.constantFrom("1", "0", "-1", "x", "99999999999999999999"),
  continue: fc.constantFrom("", "x", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiIn0", "e30", "bnVsbA"),
  resourceVersion: fc.constantFrom("0", "1", "-1", "x", "1e3"),
  resourceVersionMatch: fc.constantFrom("Exact", "NotOlderThan", "x"),
  watch: fc.constantFrom("1", "true", "false", "x"),
  timeoutSeconds: fc.constantFrom("1", "0", "x", "-5", "1e9"),
  allowWatchBookmarks: fc.constantFrom("1", "x"),
  sendInitialEvents: fc.constantFrom("1", "false", "x"),
  dryRun: fc.constantFrom("All", "", "None"),
  fieldManager: fc.constantFrom("a", "b", "", "a\nb", "a".repeat(129)),
  force: fc.constantFrom("true", "1", "false", "x"),
  fieldValidation: fc.constantFrom("Strict", "Warn", "Ignore", "x"),
  pretty: fc.constantFrom("1", "x", "false"),
  includeObject: fc.constantFrom("Object", "None", "x"),
  gracePeriodSeconds: fc.constantFrom("0", "x", "-1", "9e99"),
  propagationPolicy: fc.constantFrom("Orphan", "Foreground", "x"),
  container: fc.constantFrom("a", "", "../x"),
};
const query = fc
  .subarray(Object.keys(parameters), { maxLength: 3 })
  .chain((chosen) => fc.record(Object.fromEntries(chosen.map((name) => [name, parameters[name] ?? fc.constant("")]))))
  .map((fields) => new URLSearchParams(fields).toString());

const accept = mostly<string>(
  "",
  fc.constantFrom(
    "application/json",
    "application/yaml",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/vnd.kubernetes.protobuf",
    "application/json;as=;v;g=,,;",
    "text/html",
  ),
);

const plainPaths = [
  "/",
  "/api",
  "/apis",
  "/apis/apps",
  "/openapi/v2",
  "/openapi/v3/apis/apps/v1",
  "/version",
  "/x",
  "//",
];

function pathOf({ definition, version }: ServedKind, method: string): fc.Arbitrary<string> {
  const base = version.group === "" ? `/api/${version.version}` : `/apis/${version.group}/${version.version}`;
  const { plural, namespaced } = definition.resource;
  const subresource = fc.constantFrom("status", "scale", "log", "exec", "binding", "eviction", "finalize", "x");
  const words = fc.tuple(
    names,
    mostly("", subresource),
    mostly(method === "POST", fc.boolean()),
    fc.nat(9),
    fc.nat(19),
  );
  return words.map(([name, sub, whole, odd, plain]) => {
    if (plain === 0) return plainPaths[odd % plainPaths.length] ?? "/";
    const scope = namespaced && odd !== 0 ? `/namespaces/${odd === 1 ? name : "default"}` : "";
    const object = whole ? "" : `/${name}${sub === "" ? "" : `/${sub}`}`;
    return `${base}${odd === 2 ? "/watch" : ""}${scope}/${plural}${object}`;
  });
}

const methods = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom("GET", "POST", "PUT", "PATCH", "PATCH") },
  { weight: 1, arbitrary: fc.constantFrom("DELETE", "HEAD", "OPTIONS", "QUERY") },
);

/** Requests that are nearly right, and some that are far from it. */
export const hostileRequest = fc.tuple(fc.constantFrom(...servedKinds), methods).chain(([served, method]) =>
  fc
    .record({
      path: pathOf(served, method),
      query: fc.oneof(fc.constant(""), query),
      accept,
      typed: bodyOf(served, method),
      like: mostly("nobody", fc.constantFrom("a", "", "system:node:x", "a".repeat(5000), "%zz")),
    })
    .map(({ path, query, accept, typed: [type, body], like }): HostileRequest => {
      const hasBody = !["GET", "HEAD", "OPTIONS"].includes(method);
      const headers = {
        ...(hasBody ? { "Content-Length": String(body.length) } : {}),
        ...(accept === "" ? {} : { Accept: accept }),
        ...(type === "" ? {} : { "Content-Type": type }),
        ...(like === "nobody" ? {} : { "Impersonate-User": like }),
      };
      // Without a manager's name an apply goes no further.
      const manager = type === applyType && !query.includes("fieldManager") ? "fieldManager=a" : "";
      const asked = [query, manager].filter((part) => part !== "").join("&");
      const whole = `${path}${asked === "" ? "" : `?${asked}`}`;
      return { method, path: whole, headers, body: hasBody ? body : Buffer.alloc(0) };
    }),
);
