import assert from "node:assert/strict";
import { test } from "node:test";
import { inClusterConnection, KubeconfigError, parseKubeconfig, renderKubeconfig } from "#client/kubeconfig.ts";

const noFiles = (path: string): string => assert.fail(`asked for ${path}`);

test("a kubeconfig that is written is read back as it was, whatever the name", () => {
  for (const name of ["fairlead", 'a: "b"\n# c', "yes"]) {
    const wished = { server: "https://127.0.0.1:6443", ca: "CA\n", cert: "CERT\n", key: "KEY\n" };
    const text = renderKubeconfig({ ...wished, name });
    assert.deepEqual(parseKubeconfig(text, { readFile: noFiles }), wished);
    assert.deepEqual(parseKubeconfig(text, { context: name, readFile: noFiles }), wished);
  }
});

test("a kubeconfig may name files, a token, another context and another server name", () => {
  const text = `
apiVersion: v1
kind: Config
current-context: first
contexts:
- {name: first, context: {cluster: c, user: u}}
- {name: second, context: {cluster: d, user: v}}
- {name: third, context: {cluster: d, user: w}}
clusters:
- name: c
  cluster: {server: "https://one:6443/", certificate-authority: ca.crt, tls-server-name: other.example.org}
- name: d
  cluster: {server: "https://two", insecure-skip-tls-verify: true}
users:
- name: u
  user: {client-certificate: u.crt, client-key: u.key}
- name: v
  user: {token: secret}
- name: w
  user: {tokenFile: w.token}
`;
  const readFile = (path: string) => `content of ${path}\n`;
  assert.deepEqual(parseKubeconfig(text, { readFile }), {
    server: "https://one:6443",
    ca: "content of ca.crt\n",
    cert: "content of u.crt\n",
    key: "content of u.key\n",
    tlsServerName: "other.example.org",
  });
  const second = { server: "https://two", token: "secret", insecureSkipTlsVerify: true };
  assert.deepEqual(parseKubeconfig(text, { context: "second", readFile }), second);
  assert.equal(parseKubeconfig(text, { context: "third", readFile }).tokenSource?.(), "content of w.token");
});

test("a kubeconfig that cannot be used says what is wrong with which entry", () => {
  const refused = (text: string, expected: RegExp) =>
    assert.throws(
      () => parseKubeconfig(text, { readFile: noFiles }),
      (error) => error instanceof KubeconfigError && expected.test(error.message),
    );
  const whole = (cluster: string, user: string) =>
    `{current-context: a, contexts: [{name: a, context: {cluster: c, user: u}}], clusters: [{name: c, cluster: ${cluster}}], users: [{name: u, user: ${user}}]}`;
  refused("", /empty/);
  refused("{", /not YAML/);
  refused("{clusters: []}", /no context is chosen/);
  refused("{current-context: a}", /contexts holds no "a"/);
  refused(whole("{}", "{}"), /cluster c needs a server that starts with https/);
  refused(whole("{server: 'http://x'}", "{}"), /cluster c needs a server/);
  refused(whole("{server: 'https://x'}", "{exec: {command: aws}}"), /user u signs in by exec, which is not supported/);
});

test("a pod finds its API server and account by environment and files", () => {
  const files = new Map([
    ["/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", "CA"],
    ["/var/run/secrets/kubernetes.io/serviceaccount/token", "one\n"],
  ]);
  const readFile = (path: string) => files.get(path) ?? assert.fail(path);
  assert.equal(inClusterConnection({}, readFile), undefined);
  const env = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };
  const found = inClusterConnection(env, readFile);
  assert.equal(found?.server, "https://[fd00::1]:443");
  assert.equal(found?.ca, "CA");
  assert.equal(found?.tokenSource?.(), "one");
  files.set("/var/run/secrets/kubernetes.io/serviceaccount/token", "two\n");
  assert.equal(found?.tokenSource?.(), "two", "the token is read anew");
});
