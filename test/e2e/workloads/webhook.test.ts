import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { makePair } from "../../fakes/certificate.ts";
import { eventually, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";
import { apply, ingress, pod, service } from "./objects.ts";

/** As the webhook of ingress-nginx does: refuses an Ingress whose snippet it would not render, with its words. */
const webhookServer = `
  const { readFileSync } = require("node:fs");
  const pair = { key: readFileSync("/tls/tls.key"), cert: readFileSync("/tls/tls.crt") };
  require("node:https").createServer(pair, (request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      const review = JSON.parse(text);
      const { uid, object, operation } = review.request;
      const snippet = object.metadata.annotations?.["nginx.ingress.kubernetes.io/server-snippet"];
      const allowed = snippet === undefined;
      const message = "nginx.ingress.kubernetes.io/server-snippet annotation cannot be used. Snippet directives are disabled by the Ingress administrator";
      const status = allowed ? undefined : { status: "Failure", code: 400, reason: "BadRequest", message };
      console.log(operation, request.url, object.kind, object.apiVersion, allowed);
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ kind: review.kind, apiVersion: review.apiVersion, response: { uid, allowed, status } }));
    });
  }).listen(8443, () => console.log("listening"));
`;

const host = "ingress-nginx-controller-admission";

describe("a validating webhook as ingress-nginx has one", { skip: whyNoCluster() }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster();
    const { cert, key } = await makePair(`${host}.ingress-nginx.svc`);
    cluster.kubectl("create", "namespace", "ingress-nginx");
    const inNamespace = (object: Record<string, unknown>) => {
      return { ...object, metadata: { ...(object["metadata"] as object), namespace: "ingress-nginx" } };
    };
    const mount = { volumeMounts: [{ name: "tls", mountPath: "/tls" }] };
    const readinessProbe = { tcpSocket: { port: 8443 }, periodSeconds: 1 };
    const container = { image: "node", command: ["node", "-e", webhookServer], readinessProbe, ...mount };
    apply(
      cluster,
      inNamespace({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "tls" },
        type: "kubernetes.io/tls",
        stringData: { "tls.crt": cert, "tls.key": key },
      }),
      inNamespace(pod(host, container, { volumes: [{ name: "tls", secret: { secretName: "tls" } }] })),
      inNamespace(service(host, { ports: [{ name: "https-webhook", port: 443, targetPort: 8443 }] })),
    );
    cluster.kubectl("wait", "-n", "ingress-nginx", "--for=condition=Ready", `pod/${host}`, "--timeout=60s");
    await eventually(() => {
      const slices = cluster.kubectl(
        "get",
        "endpointslices",
        "-n",
        "ingress-nginx",
        "-o",
        "jsonpath={..conditions.ready}",
      );
      assert.match(slices, /true/);
    });
    apply(cluster, {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingWebhookConfiguration",
      metadata: { name: "ingress-nginx-admission" },
      webhooks: [
        {
          name: "validate.nginx.ingress.kubernetes.io",
          matchPolicy: "Equivalent",
          rules: [
            {
              apiGroups: ["networking.k8s.io"],
              apiVersions: ["v1"],
              operations: ["CREATE", "UPDATE"],
              resources: ["ingresses"],
            },
          ],
          failurePolicy: "Fail",
          sideEffects: "None",
          admissionReviewVersions: ["v1"],
          clientConfig: {
            service: { namespace: "ingress-nginx", name: host, path: "/networking/v1/ingresses" },
            caBundle: Buffer.from(cert).toString("base64"),
          },
        },
      ],
    });
  });
  after(() => cluster?.purge());

  test("kubectl is told why, and what is right passes", () => {
    assert.match(cluster.kubectl("get", "validatingwebhookconfigurations"), /ingress-nginx-admission +1 /);
    apply(cluster, ingress("good", "good.test", "web"));
    const snippet = "nginx.ingress.kubernetes.io/server-snippet=return 403;";
    const { status, stderr } = cluster.tryKubectl("annotate", "ingress", "good", snippet);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /admission webhook "validate.nginx.ingress.kubernetes.io" denied the request: nginx.ingress.kubernetes.io\/server-snippet annotation cannot be used/,
    );
    const kept = cluster.kubectl("get", "ingress", "good", "-o", "jsonpath={.metadata.annotations}");
    assert.doesNotMatch(kept, /snippet/);
    const log = cluster.kubectl("logs", "-n", "ingress-nginx", host);
    assert.match(log, /CREATE \/networking\/v1\/ingresses\?timeout=10s Ingress networking.k8s.io\/v1 true/);
    assert.match(log, /UPDATE \/networking\/v1\/ingresses\?timeout=10s Ingress networking.k8s.io\/v1 false/);
  });

  test("while nobody answers, nothing is let through, unless it may fail", async () => {
    cluster.kubectl("delete", "pod", "-n", "ingress-nginx", host);
    await eventually(() => {
      const { status, stderr } = cluster.tryKubectl("annotate", "--overwrite", "ingress", "good", "a=b");
      assert.equal(status, 1);
      assert.match(
        stderr,
        /failed calling webhook "validate.nginx.ingress.kubernetes.io": failed to call webhook: Post /,
      );
      assert.match(stderr, /no endpoints available for service "ingress-nginx-controller-admission"/);
    });
    const patch = JSON.stringify([{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" }]);
    cluster.kubectl("patch", "validatingwebhookconfiguration", "ingress-nginx-admission", "--type=json", "-p", patch);
    cluster.kubectl("annotate", "--overwrite", "ingress", "good", "a=b");
  });

  test("a webhook that is gone does not keep the cluster from starting again", async () => {
    const rules = [
      { apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["services", "endpoints", "configmaps"] },
    ];
    const patch = JSON.stringify({
      webhooks: [{ name: "validate.nginx.ingress.kubernetes.io", failurePolicy: "Fail", rules }],
    });
    cluster.kubectl("patch", "validatingwebhookconfiguration", "ingress-nginx-admission", "-p", patch);
    await cluster.kill();
    cluster = await startCluster({ dataDir: cluster.dataDir });
    const refused = cluster.tryKubectl("create", "configmap", "late");
    assert.match(refused.stderr, /failed calling webhook/);
    cluster.kubectl("delete", "validatingwebhookconfiguration", "ingress-nginx-admission");
    cluster.kubectl("create", "configmap", "late");
  });
});
