import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
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
});
