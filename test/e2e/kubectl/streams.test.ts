import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { parseKubeconfig } from "#client/kubeconfig.ts";
import { forwardOne, openTunnel, tunnelHeaders } from "../../fakes/port-forward-client.ts";
import { startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";
import { findKubectls } from "./kubectls.ts";

/** A command that goes on: what it has said so far, and a way to wait for more. */
interface Running {
  readonly child: ChildProcess;
  /** Resolves with the first match in what it says; rejects when it ends without. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
}

describe("commands of kubectl that go on", { skip: whyNoCluster() }, () => {
  let cluster: TestCluster;
  const home = mkdtempSync(join(tmpdir(), "fairlead-kubectl-"));
  const running: ChildProcess[] = [];

  before(async () => {
    cluster = await startCluster();
    cluster.kubectl("create", "ns", "app");
    const script = "echo begun; while :; do [ -e /tmp/more ] && echo more && rm /tmp/more; sleep 0.1; done";
    cluster.kubectl("run", "talks", "-n", "app", "--image=busybox", "--", "sh", "-c", script);
    cluster.kubectl(
      "run",
      "hears",
      "-n",
      "app",
      "--image=busybox",
      "-i",
      "--attach=false",
      "--leave-stdin-open",
      "--",
      "cat",
    );
    cluster.kubectl("create", "deploy", "web", "-n", "app", "--image=nginx");
    cluster.kubectl("expose", "deploy", "web", "-n", "app", "--port=80");
    cluster.kubectl("wait", "-n", "app", "--for=condition=Ready", "pod", "--all", "--timeout=30s");
  });
  after(async () => {
    for (const child of running) child.kill("SIGKILL");
    await cluster.purge();
    rmSync(home, { recursive: true });
  });

  for (const kubectl of findKubectls()) {
    const skip = kubectl.missing ?? false;

    const run = (...words: string[]): Running => {
      const child = spawn(kubectl.path ?? "", ["-n", "app", ...words], { env: cluster.env, cwd: home });
      running.push(child);
      let said = "";
      let wake = () => {};
      const hear = (chunk: Buffer) => {
        said += chunk.toString();
        wake();
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.on("close", () => wake());
      return {
        child,
        async says(pattern) {
          for (;;) {
            const match = pattern.exec(said);
            if (match !== null) return match;
            if (child.exitCode !== null) throw new Error(`${words.join(" ")} ended and said: ${said}`);
            await new Promise<void>((resolve) => (wake = resolve));
          }
        },
      };
    };
    const end = async ({ child }: Running) => {
      if (child.exitCode !== null) return;
      const closed = once(child, "close");
      child.kill("SIGINT");
      await closed;
    };
    const fetchText = async (url: string) => (await fetch(url)).text();

    test(
      `${kubectl.name}: port-forward carries connections to a pod and to one behind a Service`,
      { skip },
      async () => {
        for (const target of ["deploy/web", "svc/web"]) {
          const forward = run("port-forward", target, ":80");
          const [, port = ""] = await forward.says(/127\.0\.0\.1:(\d+) -> 80/);
          const answers = await Promise.all([1, 2, 3].map(() => fetchText(`http://127.0.0.1:${port}/`)));
          for (const answer of answers) assert.match(answer, /nginx/);
          await end(forward);
        }
      },
    );

    test(`${kubectl.name}: proxy lends its credentials to plain HTTP`, { skip }, async () => {
      const proxy = run("proxy", "--port=0");
      const [, address = ""] = await proxy.says(/Starting to serve on (\S+)/);
      assert.match(await fetchText(`http://${address}/api/v1/namespaces/app/services/web`), /"kind": ?"Service"/);
      assert.match(await fetchText(`http://${address}/version`), /gitVersion/);
      await end(proxy);
    });

    test(`${kubectl.name}: logs -f prints what comes`, { skip }, async () => {
      const logs = run("logs", "talks", "-f", "--tail=1");
      await logs.says(/begun|more/);
      cluster.kubectl("exec", "-n", "app", "talks", "--", "touch", "/tmp/more");
      await logs.says(/more\n/);
      await end(logs);
    });

    test(`${kubectl.name}: attach and exec pass on what is typed`, { skip }, async () => {
      const attach = run("attach", "-i", "hears");
      attach.child.stdin?.write(`typed by ${kubectl.age}\n`);
      await attach.says(new RegExp(`typed by ${kubectl.age}`));
      await end(attach);
      const exec = run("exec", "-i", "talks", "--", "sh", "-c", "read line; echo heard $line; exit 5");
      exec.child.stdin?.end("over there\n");
      await exec.says(/heard over there/);
      if (exec.child.exitCode === null) await once(exec.child, "close");
      assert.equal(exec.child.exitCode, 5);
    });

    test(`${kubectl.name}: get -w shows changes as they come`, { skip }, async () => {
      const watch = run("get", "pods", "-w", "--no-headers");
      await watch.says(/talks/);
      const name = `seen-${kubectl.age}`;
      cluster.kubectl("run", name, "-n", "app", "--image=busybox", "--restart=Never", "--", "true");
      await watch.says(new RegExp(name));
      await end(watch);
    });

    test(`${kubectl.name}: delete waits until the object is gone`, { skip }, async () => {
      const name = `held-${kubectl.age}`;
      const change = (finalizers: string) =>
        cluster.kubectl(
          "patch",
          "cm",
          name,
          "-n",
          "app",
          "--type=merge",
          `-p={"metadata":{"finalizers":${finalizers}}}`,
        );
      cluster.kubectl("create", "configmap", name, "-n", "app");
      change('["example.com/held"]');
      const removal = run("delete", "configmap", name);
      await removal.says(/deleted/);
      assert.equal(removal.child.exitCode, null);
      change("null");
      if (removal.child.exitCode === null) await once(removal.child, "close");
      assert.equal(removal.child.exitCode, 0);
      assert.notEqual(cluster.tryKubectl("get", "cm", name, "-n", "app").status, 0);
    });
  }

  /** What the administrator's requests to the API are made with. */
  const connection = async () => {
    const text = await readFile(cluster.env["KUBECONFIG"] ?? "", "utf8");
    const { server, ca, cert, key } = parseKubeconfig(text, { readFile: (path) => assert.fail(`it names ${path}`) });
    return { server: new URL(server), tls: { ca, cert, key } };
  };
  const podPath = () => {
    const pod = cluster.kubectl(
      "get",
      "pods",
      "-n",
      "app",
      "-l",
      "app=web",
      "-o",
      "jsonpath={.items[0].metadata.name}",
    );
    return `/api/v1/namespaces/app/pods/${pod}/portforward`;
  };
  const question = "GET / HTTP/1.0\r\nHost: web\r\n\r\n";

  // kubectl falls back to SPDY without a word: it cannot show that these work.
  test("port-forward in a WebSocket that carries SPDY", async () => {
    const { server, tls } = await connection();
    const place = { host: server.hostname, port: server.port, path: podPath() };
    const tunnel = await openTunnel(request({ ...place, ...tls, headers: tunnelHeaders, agent: false }));
    const answers = await Promise.all([1, 2, 3].map((id) => forwardOne(tunnel.session, id, 80, question)));
    for (const { said, problem } of answers) {
      assert.match(said, /nginx/);
      assert.equal(problem, "");
    }
    assert.match((await forwardOne(tunnel.session, 4, 81, question)).problem, /error forwarding port 81 to pod/);
    tunnel.close();
  });

  test("port-forward by the messages of a WebSocket, a channel for each port's data and errors", async () => {
    const { server, tls } = await connection();
    const socket = new WebSocket(`wss://${server.host}${podPath()}?ports=80&ports=81`, "v4.channel.k8s.io", tls);
    const said = ["", "", "", ""];
    socket.on("message", (data: Buffer) => (said[data[0] ?? 0] += data.subarray(1).toString("latin1")));
    socket.once("open", () => socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(question)])));
    await once(socket, "close");
    // Each channel begins with its port in two bytes.
    assert.match(said[0] ?? "", /^P\0HTTP\/1\.1 200[^]*nginx/);
    assert.deepEqual([said[1], said[2]], ["P\0", "Q\0"]);
    assert.match(said[3] ?? "", /^Q\0error forwarding port 81 to pod/);
  });
});
