import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, run, startCluster, whyNoCluster, whyNoRecentKubectl, type TestCluster } from "../cluster.ts";

const root = join(import.meta.dirname, "../../..");
const page = readFileSync(join(root, "docs/reference/differences.md"), "utf8").replaceAll(/\s+/g, " ");
const service = join(root, "examples/quickstart/02-hello-service.yaml");

/** What the page says, what shows it, and what that prints. Each may be tried again for a while. */
const claims: readonly (readonly [claim: string, command: string, prints: RegExp])[] = [
  [
    "refuses what is no object of the kind with 400",
    `sed 's/^spec:/spec:\\n  porz: 1/' ${service} | kubectl apply --server-side --validate=false -f -`,
    /\(BadRequest\): failed to create typed patch object \(default\/hello; \/v1, Kind=Service\): \.spec\.porz: field not/,
  ],
  [
    "A null in what is applied is as if it was left out",
    `sed 's/^spec:/spec:\\n  sessionAffinity: null/' ${service} | kubectl apply --server-side --force-conflicts -f - &&
     kubectl get service hello -o jsonpath='{.metadata.managedFields[?(@.manager=="kubectl")].fieldsV1.f:spec}' |
     grep -c sessionAffinity`,
    /serverside-applied\n0$/,
  ],
  [
    "The rows of a Table come without `managedFields`",
    `kubectl get --raw /api/v1/namespaces/default/services/hello | grep -c managedFields
     kubectl get services -v=9 2>&1 | grep -o 'managedFields\\|creationTimestamp' | sort -u`,
    /^1\ncreationTimestamp$/,
  ],
  [
    "signs in for each node with that node's own certificate",
    `kubectl create secret generic unseen
     kubectl get secret unseen --as system:node:node-1 --as-group system:nodes
     kubectl auth can-i get node/node-1 --as system:node:node-1 --as-group system:nodes
     kubectl auth can-i get node/node-2 --as system:node:node-1 --as-group system:nodes`,
    /no relationship found between node 'node-1' and this object\n.*\nyes\n.*no - node 'node-1' cannot read 'node-2', only/s,
  ],
  [
    "who shows no proof is answered 401, but for `/healthz`",
    `curl -sk https://127.0.0.1:6443/api | grep -o '"code": 401'; curl -sk https://127.0.0.1:6443/healthz`,
    /^"code": 401\nok$/,
  ],
  ["are not there: they are parts", "kubectl get clusterroles -o name | grep -c system:controller:", /^0$/],
  [
    "are signed with ES256",
    "kubectl create token default | cut -d. -f1 | base64 -d 2> /dev/null",
    /^\{"alg":"ES256","kid":"[\w-]{43}"/,
  ],
  ["`kubectl top` have nothing to ask", "kubectl top nodes", /^error: Metrics API not available/],
  [
    "`RequireDualStack` is refused",
    `kubectl patch service hello -p '{"spec":{"ipFamilyPolicy":"RequireDualStack"}}'`,
    /not configured for dual-stack/,
  ],
  ["Node ports answer at the nodes' addresses", "curl -s http://172.30.0.12:30080/", /^Hostname: hello-/],
  ["not at this machine's own", "curl -sS http://127.0.0.1:30080/", /Failed to connect|Couldn't connect/],
  ["A cluster IP answers ping as a closed port: unreachable", "ping -c 1 -W 1 10.96.0.10", /Unreachable/],
  [
    "Negative answers may be kept for 5 seconds",
    "dig @10.96.0.10 none.default.svc.cluster.local +noall +authority",
    /\s5\s+IN\s+SOA\s.* 5$/m,
  ],
  ["RA is set in every answer", "dig @10.96.0.10 hello.default.svc.cluster.local", /flags: qr aa rd ra;/],
  [
    "Type ANY of a name that exists has no data",
    "dig @10.96.0.10 ANY hello.default.svc.cluster.local",
    /NOERROR.*\n.*ANSWER: 0/,
  ],
  ["AXFR and IXFR are refused", "dig @10.96.0.10 AXFR cluster.local", /Transfer failed/],
  [
    "**HTTP/2** is offered over TLS",
    "curl -sk --http2 -o /dev/null -w '%{http_version} %{http_code}' https://hello.localhost/",
    /^2 200$/,
  ],
  [
    "taken by prior knowledge on the plain port, too",
    "curl -s --http2-prior-knowledge -o /dev/null -w '%{http_version} %{http_code}' http://hello.localhost/",
    /^2 200$/,
  ],
  [
    "A client of gRPC gets failures of our own as `grpc-status`",
    `curl -s --http2-prior-knowledge -D - -X POST -H 'content-type: application/grpc' http://none.localhost/`,
    /^HTTP\/2 200[^]*grpc-status: 12/,
  ],
  [
    "No `Strict-Transport-Security` for hosts without TLS of their own",
    "curl -skD - -o /dev/null https://hello.localhost/ | grep -ci strict-transport",
    /^0$/,
  ],
  [
    "header names with underscores are not passed on",
    "curl -s -H 'a_b: seen' -H 'a-b: seen' http://hello.localhost/ | grep -i seen",
    /^A-B: seen$/i,
  ],
  [
    "is answered 400",
    `kubectl create ingress two --rule='two.localhost/*=hello:80' --rule='two.localhost/inner=hello:80' > /dev/null 2>&1
     curl -s --path-as-is -o /dev/null -w '%{http_code}' http://two.localhost/a/..%2finner`,
    /^400$/,
  ],
  [
    "such as `auth-tls-match-cn` without `auth-tls-secret`",
    `kubectl annotate --overwrite ingress hello nginx.ingress.kubernetes.io/auth-tls-match-cn=CN=ann > /dev/null
     curl -s -o /dev/null -w '%{http_code}' http://hello.localhost/`,
    /^503$/,
  ],
];

describe("differences from Kubernetes", { skip: whyNoCluster() || whyNoRecentKubectl() }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ manifests: [join(root, "examples/quickstart")] });
  });
  after(() => cluster?.purge());

  for (const [claim, command, prints] of claims) {
    test(claim, async () => {
      assert.ok(page.includes(claim), "the page does not say so any more");
      await eventually(() => {
        const { stdout } = run("bash", ["-c", `exec 2>&1\n${command}`], { env: cluster.env });
        assert.match(stdout.trim(), prints);
      });
    });
  }
});
