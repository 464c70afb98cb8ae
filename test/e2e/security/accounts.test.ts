import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, run, startCluster, whyNoCluster, whyNoRecentKubectl, type TestCluster } from "../cluster.ts";

const folder = "/var/run/secrets/kubernetes.io/serviceaccount";
const api = "https://kubernetes.default.svc.cluster.local";

/** What a program in a pod does to ask the API about its own namespace. */
const askForPods = `curl -sS --cacert ${folder}/ca.crt -H "Authorization: Bearer $(cat ${folder}/token)" \
  ${api}/api/v1/namespaces/$(cat ${folder}/namespace)/pods`;

const pods = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader}
---
apiVersion: v1
kind: Pod
metadata: {name: reads}
spec:
  serviceAccountName: reader
  terminationGracePeriodSeconds: 0
  containers: [{name: main, image: curl, command: [sleep, "3600"], securityContext: {runAsUser: 65534}}]
---
apiVersion: v1
kind: Pod
metadata: {name: other}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: main, image: curl, command: [sleep, "3600"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: without}
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 0
  containers: [{name: main, image: curl, command: [sleep, "3600"]}]
`;

describe("who may do what", { skip: whyNoCluster() || whyNoRecentKubectl() }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ args: ["--nodes", "1"] });
  });
  after(() => cluster?.purge());

  const inPod = (pod: string, command: string) =>
    cluster.tryKubectl("exec", pod, "-n", "dev", "--", "sh", "-c", command);

  test("a pod lists pods by its ServiceAccount once it may, and not before", async () => {
    cluster.kubectl("create", "namespace", "dev");
    cluster.kubectlWith(pods, "apply", "-n", "dev", "-f", "-");
    cluster.kubectl("wait", "-n", "dev", "--for=condition=Ready", "pod", "--all", "--timeout=60s");
    assert.deepEqual(inPod("reads", `ls ${folder}`).stdout.split("\n"), ["ca.crt", "namespace", "token", ""]);
    assert.equal(inPod("reads", `cat ${folder}/namespace`).stdout, "dev");

    const refused = JSON.parse(inPod("reads", askForPods).stdout);
    assert.equal(
      refused.message,
      'pods is forbidden: User "system:serviceaccount:dev:reader" cannot list resource "pods" in API group "" in the namespace "dev"',
    );
    cluster.kubectl("create", "role", "reader", "-n", "dev", "--verb=get,list", "--resource=pods");
    cluster.kubectl("create", "rolebinding", "reader", "-n", "dev", "--role=reader", "--serviceaccount=dev:reader");
    const listed = JSON.parse(inPod("reads", askForPods).stdout);
    assert.equal(listed.kind, "PodList");
    assert.deepEqual(
      listed.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
      ["other", "reads", "without"],
    );
    assert.equal(JSON.parse(inPod("other", askForPods).stdout).code, 403);
    assert.match(inPod("without", `ls ${folder}`).stderr, /No such file/);
  });

  test("kubectl in a pod finds its cluster by itself", () => {
    assert.match(inPod("reads", "HOME=/tmp kubectl get pods -o name").stdout, /^pod\/other\npod\/reads\n/);
    const { stderr } = inPod("reads", "HOME=/tmp kubectl get secrets");
    assert.match(stderr, /User "system:serviceaccount:dev:reader" cannot list resource "secrets"/);
  });

  test("a token that is asked for signs in as its account, and ends with it", async () => {
    const token = cluster.kubectl("create", "token", "reader", "-n", "dev", "--duration=1h").trim();
    const bare = ["--kubeconfig=/dev/null", `--server=${serverOf(cluster)}`, "--insecure-skip-tls-verify"];
    const as = (...args: string[]) => cluster.tryKubectl(...bare, `--token=${token}`, ...args);
    assert.match(as("auth", "whoami").stdout, /system:serviceaccount:dev:reader[^]*system:serviceaccounts:dev/);
    assert.match(as("get", "pods", "-n", "dev", "-o", "name").stdout, /pod\/reads/);
    assert.match(as("get", "pods", "-n", "default").stderr, /^Error from server \(Forbidden\): pods is forbidden/);
    const wrong = cluster.tryKubectl(...bare, `--token=${token.slice(0, -2)}`, "get", "pods", "-n", "dev");
    assert.match(wrong.stderr, /You must be logged in to the server/);

    const bound = cluster
      .kubectl("create", "token", "reader", "-n", "dev", "--bound-object-kind=Pod", "--bound-object-name=reads")
      .trim();
    const asBound = () => cluster.tryKubectl(...bare, `--token=${bound}`, "get", "pods", "-n", "dev");
    assert.equal(asBound().status, 0);
    cluster.kubectl("delete", "pod", "reads", "-n", "dev", "--force", "--grace-period=0");
    await eventually(() => assert.match(asBound().stderr, /You must be logged in to the server/));
    cluster.kubectl("delete", "serviceaccount", "reader", "-n", "dev");
    assert.match(as("get", "pods", "-n", "dev").stderr, /You must be logged in to the server/);
  });

  test("a Secret of an account's type holds a token without an end, as long as it is there", async () => {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "kept", namespace: "dev", annotations: { "kubernetes.io/service-account.name": "default" } },
      type: "kubernetes.io/service-account-token",
    };
    cluster.kubectlWith(JSON.stringify(secret), "create", "-f", "-");
    const token = await eventually(() => {
      const held = cluster.kubectl("get", "secret", "kept", "-n", "dev", "-o", "jsonpath={.data.token}");
      assert.notEqual(held, "");
      return Buffer.from(held, "base64").toString();
    });
    const bare = ["--kubeconfig=/dev/null", `--server=${serverOf(cluster)}`, "--insecure-skip-tls-verify"];
    const whoami = () => cluster.tryKubectl(...bare, `--token=${token}`, "auth", "whoami");
    assert.match(whoami().stdout, /system:serviceaccount:dev:default/);
    cluster.kubectl("delete", "secret", "kept", "-n", "dev");
    assert.match(whoami().stderr, /You must be logged in to the server/);
  });

  test("when the agent is killed, pods keep their tokens, and the next agent renews them", async () => {
    const tokenOf = () => inPod("other", `cat ${folder}/token`).stdout;
    const before = tokenOf();
    const agent = run("pgrep", ["-f", "fairlead.ts agent", "-P", String(cluster.pid)]).stdout.trim();
    process.kill(Number(agent), "SIGKILL");
    const renewed = await eventually(() => {
      const token = tokenOf();
      assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
      assert.notEqual(token, before);
      return token;
    });
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token: renewed } };
    const answer = JSON.parse(cluster.kubectlWith(JSON.stringify(review), "create", "-o", "json", "-f", "-"));
    assert.equal(answer.status.user.username, "system:serviceaccount:dev:default");
    assert.deepEqual(answer.status.user.extra["authentication.kubernetes.io/pod-name"], ["other"]);
  });

  test("commands, logs and forwarded ports need rights of their own", () => {
    const asEve = (...args: string[]) => cluster.tryKubectl("--as", "eve", "-n", "dev", ...args);
    cluster.kubectl("create", "role", "gets", "-n", "dev", "--verb=get", "--resource=pods");
    cluster.kubectl("create", "rolebinding", "gets", "-n", "dev", "--role=gets", "--user=eve");
    assert.equal(asEve("get", "pod", "other").status, 0);
    assert.match(
      asEve("exec", "other", "--", "id").stderr,
      /resource "pods\/exec" in API group "" in the namespace "dev"/,
    );
    assert.match(asEve("logs", "other").stderr, /cannot get resource "pods\/log"/);
    assert.match(asEve("port-forward", "other", ":80").stderr, /resource "pods\/portforward"/);
    assert.match(asEve("delete", "pod", "other").stderr, /cannot delete resource "pods"/);
    const verbs = ["--verb=get,create", "--resource=pods/exec"];
    cluster.kubectl("create", "role", "runs", "-n", "dev", ...verbs);
    cluster.kubectl("create", "rolebinding", "runs", "-n", "dev", "--role=runs", "--user=eve");
    assert.match(asEve("exec", "other", "--", "id").stdout, /^uid=/);
  });

  test("can-i answers for oneself and for others, and lists", () => {
    cluster.kubectl("create", "rolebinding", "view", "-n", "dev", "--clusterrole=view", "--user=alice", "--group=crew");
    const canI = (...args: string[]) => cluster.tryKubectl("auth", "can-i", ...args).stdout.trim();
    assert.equal(canI("*", "*"), "yes");
    assert.equal(canI("list", "services", "-n", "dev", "--as", "alice"), "yes");
    assert.equal(canI("list", "ingresses.networking.k8s.io", "-n", "dev", "--as", "x", "--as-group", "crew"), "yes");
    assert.equal(canI("get", "pods", "--subresource=log", "-n", "dev", "--as", "alice"), "yes");
    assert.equal(canI("list", "secrets", "-n", "dev", "--as", "alice"), "no");
    assert.equal(canI("delete", "services", "-n", "dev", "--as", "alice"), "no");
    assert.equal(canI("list", "services", "-n", "default", "--as", "alice"), "no");
    assert.equal(canI("get", "/version", "--as", "alice"), "yes");
    assert.equal(canI("get", "/metrics", "--as", "alice"), "no");
    assert.match(canI("--list", "-n", "dev", "--as", "alice"), /^endpoints +\[\] +\[\] +\[get list watch\]$/m);
    assert.match(canI("--list"), /^\*\.\* +\[\] +\[\] +\[\*\]$/m);
  });

  test("nobody gives more than he has", () => {
    cluster.kubectl("create", "rolebinding", "admin", "-n", "dev", "--clusterrole=admin", "--user=ann");
    const asAnn = (...args: string[]) => cluster.tryKubectl("--as", "ann", "-n", "dev", ...args);
    assert.equal(asAnn("create", "rolebinding", "edit", "--clusterrole=edit", "--user=bob").status, 0);
    const more = asAnn("create", "rolebinding", "all", "--clusterrole=cluster-admin", "--user=ann");
    assert.match(more.stderr, /is attempting to grant RBAC permissions not currently held/);
    assert.match(more.stderr, /\{APIGroups:\["\*"\], Resources:\["\*"\], Verbs:\["\*"\]\}/);
  });

  test("a role that is made of others follows them", async () => {
    const role = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "extra", labels: { "rbac.authorization.k8s.io/aggregate-to-view": "true" } },
      rules: [{ verbs: ["get"], apiGroups: ["example.org"], resources: ["things"] }],
    };
    cluster.kubectlWith(JSON.stringify(role), "create", "-f", "-");
    await eventually(() => assert.match(cluster.kubectl("describe", "clusterrole", "view"), /things\.example\.org/));
    // view is part of edit, and edit of admin.
    await eventually(() => assert.match(cluster.kubectl("describe", "clusterrole", "admin"), /things\.example\.org/));
    cluster.kubectl("delete", "clusterrole", "extra");
    await eventually(() =>
      assert.doesNotMatch(cluster.kubectl("describe", "clusterrole", "admin"), /things\.example\.org/),
    );
  });
});

function serverOf(cluster: TestCluster): string {
  return cluster.kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}");
}
