import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  ContainerStartError,
  type ContainerConfig,
  type ContainerInfo,
  type RuntimeService,
} from "#node/runtime/contract.ts";
import { eventually } from "../../fakes/eventually.ts";

export interface RuntimeCase {
  readonly name: string;
  readonly skip: string | false;
  /** A runtime over an empty node; called again, one that finds what the first has left. */
  readonly open: () => Promise<RuntimeService>;
  /** Removes everything; answers what is left all the same. */
  readonly clear: () => Promise<string[]>;
}

const base: ContainerConfig = {
  name: "c",
  attempt: 0,
  image: "test",
  args: ["sleep", "100"],
  env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
  cwd: "/",
  user: 0,
  group: 0,
  groups: [],
  mounts: [],
  files: [],
  tty: false,
  stdin: false,
  stdinOnce: false,
  readOnlyRoot: false,
  privileged: false,
  terminationMessagePath: "/dev/termination-log",
};

/** What every runtime promises; see `RuntimeService`. */
export function runtimeSuite({ name, skip, open, clear }: RuntimeCase): void {
  describe(`runtime ${name}`, { skip }, () => {
    let runtime: RuntimeService;
    let pods = 0;

    before(async () => {
      runtime = await open();
    });
    after(async () => {
      await runtime.close();
      assert.deepEqual(await clear(), []);
    });

    const sandbox = (hostNetwork = false) => {
      pods += 1;
      const names = { namespace: "dev", name: `pod-${pods}`, uid: `uid-${pods}`, hostname: `pod-${pods}` };
      return runtime.runPodSandbox({ ...names, attempt: 0, hostNetwork });
    };
    const start = async (config: Partial<ContainerConfig>, sandboxId?: string) => {
      const id = await runtime.createContainer(sandboxId ?? (await sandbox()).id, { ...base, ...config });
      await runtime.startContainer(id);
      return id;
    };
    const shell = (script: string, config: Partial<ContainerConfig> = {}, sandboxId?: string) =>
      start({ ...config, args: ["sh", "-c", script] }, sandboxId);
    const end = (id: string): Promise<ContainerInfo> =>
      new Promise((resolve) => {
        const look = () => {
          const info = runtime.container(id);
          if (info?.state !== "exited") return;
          stop();
          resolve(info);
        };
        const stop = runtime.onExit(look);
        look();
      });
    /** What it has written to one of its outputs, pieces of lines put together. */
    const logOf = (id: string, stream: "stdout" | "stderr" = "stdout") =>
      readFileSync(runtime.logPath(id), "utf8")
        .split("\n")
        .map((line) => /^\S+ (\S+) ([FP]) (.*)$/.exec(line))
        .map((match) => (match?.[1] === stream ? `${match[3]}${match[2] === "F" ? "\n" : ""}` : ""))
        .join("");
    /** What a script says on its standard output. */
    const output = async (script: string, config: Partial<ContainerConfig> = {}) => {
      const id = await shell(script, config);
      await end(id);
      return logOf(id).trim();
    };

    test("exit codes, last words and both outputs are kept", async () => {
      const id = await shell("echo out; echo err >&2; printf gone > /dev/termination-log; exit 7");
      const info = await end(id);
      assert.deepEqual([info.exitCode, info.lastWords, info.outOfMemory], [7, "gone", false]);
      assert.deepEqual([logOf(id), logOf(id, "stderr")], ["out\n", "err\n"]);
      assert.ok((info.startedAt ?? 0) <= (info.finishedAt ?? 0) + 1);
    });

    test("a program that is not there is told in words, and leaves nothing", async () => {
      const { id } = await sandbox();
      const created = runtime.createContainer(id, { ...base, args: ["/no/such/program"] });
      await assert.rejects(created, (error) => {
        assert.ok(error instanceof ContainerStartError);
        assert.match(error.message, /no such file or directory/);
        return true;
      });
      assert.deepEqual(
        runtime.listContainers().filter(({ sandboxId }) => sandboxId === id),
        [],
      );
    });

    test("SIGTERM first, SIGKILL when the grace is over", async () => {
      const polite = await shell("trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done");
      const deaf = await shell("trap '' TERM; while :; do sleep 0.05; done");
      while (!logOf(polite).includes("up")) await new Promise((resolve) => setTimeout(resolve, 10));
      await Promise.all([runtime.stopContainer(polite, 5), runtime.stopContainer(deaf, 0.3)]);
      assert.equal(runtime.container(polite)?.exitCode, 3);
      assert.equal(runtime.container(deaf)?.exitCode, 137);
    });

    test("SIGTERM reaches a program that was not yet listening for it", async () => {
      const id = await shell("sleep 0.4; trap 'exit 3' TERM; while :; do sleep 0.05; done");
      await runtime.stopContainer(id, 20);
      assert.equal(runtime.container(id)?.exitCode, 3);
    });

    test("a pod has a network, host name and processes of its own", async () => {
      const pod = await sandbox();
      const id = await shell("hostname; ip -4 -o addr show eth0; ls /proc | grep -c '^[0-9]'", {}, pod.id);
      await end(id);
      const said = logOf(id);
      assert.match(said, new RegExp(pod.config.hostname));
      assert.match(said, new RegExp(`inet ${pod.address}/`));
      assert.match(said, /^[1-5]$/m);
    });

    test("containers of a pod share its network, pods do not share addresses", async () => {
      const [one, two] = [await sandbox(), await sandbox()];
      assert.notEqual(one.address, two.address);
      const address = async (sandboxId: string) => {
        const id = await shell("ip -4 -o addr show eth0", {}, sandboxId);
        await end(id);
        return logOf(id);
      };
      assert.equal(await address(one.id), await address(one.id));
      assert.notEqual(await address(one.id), await address(two.id));
    });

    test("a pod in the node's network has the node's address", async () => {
      const pod = await sandbox(true);
      const id = await shell("ip -4 -o addr", {}, pod.id);
      await end(id);
      assert.match(logOf(id), new RegExp(`inet ${pod.address}/`));
    });

    test("nothing of the machine's secrets and sockets shows through", async () => {
      const said = await output(
        "wc -c < /etc/shadow; ls -A /root /home /tmp /var/log | grep -v : | wc -w; find /run -type s | wc -l; ls -d /var/lib/fairlead/* 2>/dev/null | wc -l",
      );
      assert.equal(said, "0\n0\n0\n0");
    });

    test("what a container writes is its own, and the machine's files stay", async () => {
      const said = await output("echo mine > /etc/fairlead-test && cat /etc/fairlead-test");
      assert.equal(said, "mine");
      assert.equal(existsSync("/etc/fairlead-test"), false);
      assert.equal(await output("cat /etc/fairlead-test 2>&1 | grep -c 'No such file'"), "1");
    });

    test("capabilities are the usual ones, not root's", async () => {
      const said = await output(
        "grep CapEff /proc/self/status; mount -t tmpfs x /mnt 2>&1 | grep -ci 'denied\\|permitted'",
      );
      assert.match(said, /CapEff:\s+00000000a80425fb\n1$/);
    });

    test("another user, a read-only root, a working folder", async () => {
      const config = { user: 1000, group: 1000, groups: [2000], readOnlyRoot: true, cwd: "/usr" };
      const said = await output(
        "id -u; id -G; pwd; touch /x 2>&1 | grep -c Read-only; grep CapEff /proc/self/status",
        config,
      );
      assert.match(said, /^1000\n1000 2000\n\/usr\n1\nCapEff:\s+0000000000000000$/);
    });

    test("files, binds and variables are there", async () => {
      const folder = mkdtempSync(join(tmpdir(), "fairlead-bind-"));
      writeFileSync(join(folder, "f"), "bound");
      const mounts = [{ source: folder, target: "/data/in", readOnly: true }];
      const files = [{ path: "/etc/app/conf", text: "written" }];
      const said = await output(
        "cat /data/in/f; echo; touch /data/in/x 2>&1 | grep -c Read-only; cat /etc/app/conf; echo; echo $A",
        {
          mounts,
          files,
          env: [...base.env, "A=one two"],
        },
      );
      assert.equal(said, "bound\n1\nwritten\none two");
      rmSync(folder, { recursive: true });
    });

    test("a container over its memory limit is killed and says so", async () => {
      const id = await start({
        args: ["sh", "-c", "head -c 200m /dev/zero | tail -c 100m | wc -c; exit 5"],
        memoryBytes: 32 << 20,
      });
      const info = await end(id);
      assert.equal(info.outOfMemory, true);
      assert.notEqual(info.exitCode, 0);
    });

    test("commands run inside, with their exit code, output and a limit of time", async () => {
      const id = await shell("sleep 100");
      assert.deepEqual(await runtime.execSync(id, ["sh", "-c", "echo hi; echo no >&2; exit 4"], 5000), {
        exitCode: 4,
        stdout: "hi\n",
        stderr: "no\n",
        timedOut: false,
      });
      const { timedOut } = await runtime.execSync(id, ["sleep", "77"], 200);
      assert.equal(timedOut, true);
      await eventually(async () => {
        const { stdout } = await runtime.execSync(id, ["sh", "-c", "ps ax | grep -c '[s]leep 77'"], 5000);
        assert.equal(stdout, "0\n", "the command that took too long is gone");
      });
    });

    test("another runtime finds what runs and what has ended", async () => {
      const running = await shell("sleep 100");
      const ended = await shell("exit 9");
      await end(ended);
      await runtime.close();
      const late = running;
      runtime = await open();
      assert.equal(runtime.container(running)?.state, "running");
      assert.deepEqual([runtime.container(ended)?.state, runtime.container(ended)?.exitCode], ["exited", 9]);
      await runtime.stopContainer(late, 0);
      assert.equal(runtime.container(late)?.exitCode, 137);
    });

    test("a removed sandbox takes its containers along", async () => {
      const pod = await sandbox();
      await shell("sleep 100", {}, pod.id);
      await runtime.removePodSandbox(pod.id);
      assert.equal(
        runtime.listSandboxes().some(({ id }) => id === pod.id),
        false,
      );
      assert.equal(
        runtime.listContainers().some(({ sandboxId }) => sandboxId === pod.id),
        false,
      );
      assert.equal(existsSync(pod.netns), false);
      await runtime.removePodSandbox(pod.id);
    });
  });
}
