import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { ValidatingWebhook } from "#api/admissionregistration/validatingwebhookconfiguration/kind.ts";
import { addressOf } from "#apiserver/webhooks/address.ts";
import { callWebhook } from "#apiserver/webhooks/call.ts";
import type { Client } from "#client/contract.ts";
import { ask, start, startTestServer, type Answer, type TestServer } from "../../fakes/api-server.ts";
import { makePair } from "../../fakes/certificate.ts";

interface Review {
  request: Record<string, unknown> & { uid: string; operation: string; subResource?: string };
}

type Respond = (review: Review) => object | "never" | { raw: string; code?: number };

/** What the webhook answers to all that it is asked, and what that was. */
let respond: Respond = () => ({ allowed: true });
const asked: (Review["request"] & { path: string; agent: string })[] = [];

let hook: Server;
let server: TestServer;
let client: Client;
let caBundle: string;

before(async () => {
  const pair = await makePair("localhost");
  caBundle = Buffer.from(pair.cert).toString("base64");
  hook = createServer(pair, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const review = JSON.parse(Buffer.concat(chunks).toString()) as Review;
      asked.push({ ...review.request, path: request.url ?? "", agent: request.headers["user-agent"] ?? "" });
      const said = respond(review);
      if (said === "never") return;
      if ("raw" in said) {
        response.statusCode = said.code ?? 200;
        return response.end(said.raw);
      }
      const head = { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1" };
      response.end(JSON.stringify({ ...head, response: { uid: review.request.uid, ...said } }));
    });
  });
  hook.listen(0, "127.0.0.1");
  await once(hook, "listening");
  server = await startTestServer();
  client = server.localClient({ name: "me", groups: ["system:masters"] });
  await client.create("Namespace", { metadata: { name: "dev" } });
});
after(async () => {
  await server?.stop();
  hook?.closeAllConnections();
  hook?.close();
});

/** Runs `use` with one webhook for the given resources. */
async function withWebhook(
  rules: ValidatingWebhook["rules"],
  use: (take: () => typeof asked) => Promise<void>,
  parts: Partial<ValidatingWebhook> = {},
): Promise<void> {
  const { port } = hook.address() as AddressInfo;
  const webhook: ValidatingWebhook = {
    name: "check.example.com",
    clientConfig: { url: `https://localhost:${port}/check`, caBundle },
    rules,
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    ...parts,
  };
  asked.splice(0);
  await client.create("ValidatingWebhookConfiguration", { metadata: { name: "test" }, webhooks: [webhook] });
  try {
    await use(() => asked.splice(0));
  } finally {
    await client.delete("ValidatingWebhookConfiguration", { name: "test" });
    respond = () => ({ allowed: true });
  }
}

const everything = { operations: ["*" as const], apiGroups: ["*"], apiVersions: ["*"] };
const configMaps = "/api/v1/namespaces/dev/configmaps";

function send(path: string, method: string, body?: object, type = "application/json"): Promise<Answer> {
  return ask(server, path, {
    method,
    headers: { "Content-Type": type },
    ...(body && { body: JSON.stringify(body) }),
  });
}

const messageOf = ({ body }: Answer) => (JSON.parse(body.toString()) as { message: string }).message;

test("a webhook is asked about each write, with the object as it will be stored and the one before", async () => {
  await withWebhook([{ ...everything, resources: ["configmaps"] }], async (take) => {
    const made = await send(`${configMaps}?fieldManager=me`, "POST", { metadata: { name: "a" }, data: { x: "1" } });
    assert.equal(made.code, 201);
    const [create] = take();
    assert.ok(create);
    const { object, oldObject, options, userInfo } = create;
    assert.deepEqual(
      [create.path, create.agent, create.operation, create["name"], create["namespace"], create["dryRun"], oldObject],
      ["/check?timeout=10s", "kube-apiserver-admission", "CREATE", "a", "dev", false, null],
    );
    const kind = { group: "", version: "v1", kind: "ConfigMap" };
    assert.deepEqual([create["kind"], create["requestKind"]], [kind, kind]);
    assert.deepEqual(create["resource"], { group: "", version: "v1", resource: "configmaps" });
    assert.deepEqual(options, { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1", fieldManager: "me" });
    assert.ok((userInfo as { groups: string[] }).groups.includes("system:masters"));
    const stored = object as { kind: string; apiVersion: string; data: object; metadata: { uid: string } };
    assert.deepEqual([stored.kind, stored.apiVersion, stored.data], ["ConfigMap", "v1", { x: "1" }]);
    assert.ok(stored.metadata.uid);

    await send(`${configMaps}/a`, "PUT", { metadata: { name: "a" }, data: { x: "2" } });
    await send(`${configMaps}/a`, "PATCH", { data: { x: "3" } }, "application/merge-patch+json");
    await send(`${configMaps}/a`, "DELETE");
    const data = (value: unknown) => (value as { data?: { x: string } } | null)?.data?.x ?? null;
    assert.deepEqual(
      take().map((each) => [
        each.operation,
        (each["options"] as { kind: string }).kind,
        data(each["object"]),
        data(each["oldObject"]),
      ]),
      [
        ["UPDATE", "UpdateOptions", "2", "1"],
        ["UPDATE", "PatchOptions", "3", "2"],
        ["DELETE", "DeleteOptions", null, "3"],
      ],
    );
  });
});

test("what it refuses is not done, in its own words, code and reason; its warnings are passed on", async () => {
  await withWebhook([{ ...everything, resources: ["configmaps"] }], async () => {
    const status = { code: 409, reason: "Conflict", message: "not today" };
    respond = () => ({ allowed: false, status, warnings: ["think again"] });
    const refused = await send(configMaps, "POST", { metadata: { name: "bad" } });
    const text = 'admission webhook "check.example.com" denied the request: not today';
    assert.deepEqual([refused.code, messageOf(refused)], [409, text]);
    assert.equal(refused.headers["warning"], '299 - "think again"');
    assert.equal((JSON.parse(refused.body.toString()) as { reason: string }).reason, "Conflict");
    assert.equal(await client.get("ConfigMap", { namespace: "dev", name: "bad" }), undefined);

    respond = () => ({ allowed: true });
    await send(configMaps, "POST", { metadata: { name: "kept" } });
    respond = () => ({ allowed: false });
    const kept = await send(`${configMaps}/kept`, "DELETE");
    const bare = 'admission webhook "check.example.com" denied the request without explanation';
    assert.deepEqual([kept.code, messageOf(kept)], [400, bare]);
    assert.ok(await client.get("ConfigMap", { namespace: "dev", name: "kept" }));
    const all = await send(configMaps, "DELETE");
    assert.equal(all.code, 400, "a collection is deleted object by object");
  });
});

test("an invalid object is refused before anybody is asked, and a dry run asks with dryRun", async () => {
  await withWebhook([{ ...everything, resources: ["configmaps"] }], async (take) => {
    assert.equal((await send(configMaps, "POST", { metadata: { name: "Not-A-Name" } })).code, 422);
    assert.deepEqual(take(), []);
    assert.equal((await send(`${configMaps}?dryRun=All`, "POST", { metadata: { name: "dry" } })).code, 201);
    const [{ dryRun, options } = {} as never] = take();
    assert.equal(dryRun, true);
    assert.deepEqual((options as { dryRun: string[] }).dryRun, ["All"]);
  });
});

/** Only the first one is to run out of time. */
const failures: [what: string, timeoutSeconds: number, respond: Respond, message: RegExp][] = [
  ["does not answer in time", 1, () => "never", /\?timeout=1s": context deadline exceeded$/],
  [
    "answers with an error",
    30,
    () => ({ raw: "out of order", code: 503 }),
    /: an error on the server \("out of order"\) has prevented the request from succeeding$/,
  ],
  ["answers no review", 30, () => ({ raw: "{}" }), /check.example.com": webhook response was absent$/],
  ["answers too much", 30, () => ({ raw: " ".repeat(4 * 1024 * 1024) }), /the answer is larger than 3145728 bytes$/],
];
for (const [what, timeoutSeconds, answer, message] of failures) {
  test(`a webhook that ${what} fails the request, or is passed over where it may be`, async () => {
    const rules = [{ ...everything, resources: ["configmaps"] }];
    const tryIt = async () => {
      respond = answer;
      return send(`${configMaps}?dryRun=All`, "POST", { metadata: { name: "x" } });
    };
    const refused = async () => {
      const failed = await tryIt();
      assert.equal(failed.code, 500);
      assert.match(messageOf(failed), /^Internal error occurred: failed calling webhook "check.example.com": /);
      assert.match(messageOf(failed), message);
    };
    const passed = async () => assert.equal((await tryIt()).code, 201);
    await withWebhook(rules, refused, { timeoutSeconds });
    await withWebhook(rules, passed, { timeoutSeconds, failurePolicy: "Ignore" });
  });
}

test("a webhook whose certificate is of somebody else is not trusted", async () => {
  const other = await makePair("localhost");
  const { port } = hook.address() as AddressInfo;
  const clientConfig = { url: `https://localhost:${port}/`, caBundle: Buffer.from(other.cert).toString("base64") };
  const rules = [{ ...everything, resources: ["configmaps"] }];
  await withWebhook(
    rules,
    async (take) => {
      const failed = await send(configMaps, "POST", { metadata: { name: "x" } });
      assert.equal(failed.code, 500);
      assert.match(
        messageOf(failed),
        /failed to call webhook: Post "https:\/\/localhost:\d+\/\?timeout=10s": tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
      );
      assert.deepEqual(take(), []);
    },
    { clientConfig },
  );
});

test("a Service without endpoints is said, and nobody can lock himself out by a webhook about webhooks", async () => {
  const clientConfig = { service: { namespace: "dev", name: "none" } };
  const rules = [{ ...everything, resources: ["*/*"] }];
  const parts = { clientConfig };
  await withWebhook(
    rules,
    async () => {
      const failed = await send(configMaps, "POST", { metadata: { name: "x" } });
      const text = 'failed to call webhook: Post "https://none.dev.svc:443/?timeout=10s": service "none" not found';
      assert.equal(messageOf(failed), `Internal error occurred: failed calling webhook "check.example.com": ${text}`);
    },
    parts,
  );
  assert.equal((await send(configMaps, "POST", { metadata: { name: "free" } })).code, 201);
});

test("about what the server needs to start nobody is asked", async () => {
  const clientConfig = { service: { namespace: "dev", name: "none" } };
  const rules = [{ ...everything, resources: ["*/*"] }];
  const own = server.localClient({ name: "me", groups: ["system:masters"] }, { isOwn: true });
  await withWebhook(
    rules,
    async () => {
      await assert.rejects(client.create("ConfigMap", { metadata: { namespace: "dev", name: "mine" } }), /webhook/);
      await own.create("ConfigMap", { metadata: { namespace: "dev", name: "mine" } });
    },
    { clientConfig },
  );
});

test("behind a Service, the certificate is the Service's, wherever its endpoint is", async () => {
  const { cert, key } = await makePair("hook.dev.svc");
  const hosts: (string | undefined)[] = [];
  const behind = createServer({ cert, key }, (request, response) => {
    hosts.push(request.headers.host);
    response.end("said");
  });
  behind.listen(0, "127.0.0.1");
  await once(behind, "listening");
  try {
    const { port } = behind.address() as AddressInfo;
    const service = { namespace: "dev", name: "hook", path: "/check" };
    const address = { ...addressOf({ service }, 5), endpoint: { host: "127.0.0.1", port } };
    assert.equal(await callWebhook(address, "{}", { ca: cert, timeoutMs: 30_000 }), "said");
    assert.deepEqual(hosts, ["hook.dev.svc"]);
    const other = { ...address, ...addressOf({ service: { ...service, name: "other" } }, 5) };
    await assert.rejects(callWebhook(other, "{}", { ca: cert, timeoutMs: 30_000 }), /other.dev.svc/);
    behind.close();
    behind.closeAllConnections();
    await once(behind, "close");
    const text = `Post "https://hook.dev.svc:443/check?timeout=5s": dial tcp 127.0.0.1:${port}: connect: connection refused`;
    await assert.rejects(callWebhook(address, "{}", { ca: cert, timeoutMs: 30_000 }), { message: text });
  } finally {
    behind.closeAllConnections();
    behind.close();
  }
});

test("an Ingress written in an old version is shown in the version that the webhook wants", async () => {
  const rule = {
    operations: ["CREATE" as const],
    apiGroups: ["networking.k8s.io"],
    apiVersions: ["v1"],
    resources: ["ingresses"],
  };
  await withWebhook([rule], async (take) => {
    const backend = { serviceName: "web", servicePort: 80 };
    const path = "/apis/extensions/v1beta1/namespaces/dev/ingresses";
    assert.equal((await send(path, "POST", { metadata: { name: "old" }, spec: { backend } })).code, 201);
    const [review] = take();
    assert.deepEqual(review?.["kind"], { group: "networking.k8s.io", version: "v1", kind: "Ingress" });
    assert.deepEqual(review["requestKind"], { group: "extensions", version: "v1beta1", kind: "Ingress" });
    const { spec } = review["object"] as { spec: unknown };
    assert.deepEqual(spec, { defaultBackend: { service: { name: "web", port: { number: 80 } } } });
  });
});

test("parts of objects are asked about where a rule names them", async () => {
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } };
  const spec = { selector: { matchLabels: labels }, template };
  await client.create("Deployment", { metadata: { namespace: "dev", name: "web" }, spec });
  await client.create("Pod", { metadata: { namespace: "dev", name: "web" }, spec: template.spec });
  const parts = ["deployments/scale", "pods/binding", "pods/eviction", "pods/exec", "pods/portforward"];
  await withWebhook([{ ...everything, resources: parts }], async (take) => {
    const patch = { spec: { replicas: 3 } };
    await send("/apis/apps/v1/namespaces/dev/deployments/web/scale", "PATCH", patch, "application/merge-patch+json");
    const pod = "/api/v1/namespaces/dev/pods/web";
    await send(`${pod}/binding`, "POST", { metadata: { name: "web" }, target: { kind: "Node", name: "node-1" } });
    respond = () => ({ allowed: false, status: { code: 403, message: "stay out" } });
    const exec = await upgrade(`${pod}/exec?command=sh&command=-c&stdout=true`);
    assert.deepEqual(exec, [403, 'admission webhook "check.example.com" denied the request: stay out']);
    assert.equal((await upgrade(`${pod}/portforward?ports=80`))[0], 403);
    const eviction = await send(`${pod}/eviction`, "POST", { metadata: { name: "web" } });
    assert.equal(eviction.code, 403);
    assert.ok(await client.get("Pod", { namespace: "dev", name: "web" }));
    const seen = take().map(({ operation, subResource, kind, object }) => [
      operation,
      subResource,
      (kind as { kind: string }).kind,
      object,
    ]);
    assert.deepEqual(
      seen.map((each) => each.slice(0, 3)),
      [
        ["UPDATE", "scale", "Scale"],
        ["CREATE", "binding", "Binding"],
        ["CONNECT", "exec", "PodExecOptions"],
        ["CONNECT", "portforward", "PodPortForwardOptions"],
        ["CREATE", "eviction", "Eviction"],
      ],
    );
    const bodies = seen.map((each) => each[3] as Record<string, unknown>);
    assert.deepEqual(bodies[0]?.["spec"], { replicas: 3 });
    assert.deepEqual(bodies[1]?.["target"], { kind: "Node", name: "node-1" });
    const { command, stdout } = bodies[2] as { command: string[]; stdout: boolean };
    assert.deepEqual([command, stdout], [["sh", "-c"], true]);
    assert.deepEqual(bodies[3]?.["ports"], [80]);
  });
});

/** Asks for a stream; answers the code and the message of the refusal. */
function upgrade(path: string): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const headers = { Connection: "Upgrade", Upgrade: "SPDY/3.1", "X-Stream-Protocol-Version": "v4.channel.k8s.io" };
    const request = start(server, path, { method: "POST", headers });
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve([response.statusCode ?? 0, (JSON.parse(text) as { message: string }).message]));
    });
    request.on("upgrade", () => reject(new Error("the stream was opened")));
    request.on("error", reject);
    request.end();
  });
}
