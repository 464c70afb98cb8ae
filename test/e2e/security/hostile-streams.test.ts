import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { WebSocket } from "ws";
import { eventually, run, whyNoCluster, withCluster } from "../cluster.ts";

const stdin = (bytes: Buffer) => Buffer.concat([Buffer.from([0]), bytes]);
const resize = Buffer.concat([Buffer.from([4]), Buffer.from('{"Width":80,"Height":24}')]);

describe("clients that mean harm to the agent", { skip: whyNoCluster() }, () => {
  test("none of them ends it, or makes it large", async () => {
    await withCluster({ args: ["--nodes", "1"] }, async (cluster) => {
      const agent = run("pgrep", ["-f", "fairlead.ts agent", "-P", String(cluster.pid)]).stdout.trim();
      const log = () => readFileSync(`${cluster.dataDir}/server.log`, "utf8").slice(-3_000);
      const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${agent}/status`, "utf8"))?.[1]);
      cluster.kubectl("run", "target", "--image=busybox", "--", "sh", "-c", "yes | head -c 30000000; sleep 600");
      cluster.kubectl("wait", "--for=condition=Ready", "pod/target", "--timeout=20s");
      const socketPath = `${cluster.dataDir}/agent.sock`;
      const open = (verb: string, query: string) =>
        new WebSocket(`ws+unix://${socketPath}:/${verb}/default/target/target?${query}`, ["v5.channel.k8s.io"]);

      // A frame that is none, in one packet with the request for the upgrade.
      for (const verb of ["exec", "attach"]) {
        const socket = connect(socketPath);
        socket.on("error", () => {}).resume();
        const head = [
          `GET /${verb}/default/target/target?command=cat&input=1&output=1 HTTP/1.1`,
          "Host: node",
          "Connection: Upgrade",
          "Upgrade: websocket",
          "Sec-WebSocket-Version: 13",
          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
          "Sec-WebSocket-Protocol: v5.channel.k8s.io",
        ];
        socket.write(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), Buffer.alloc(200, 0xff)]));
        await once(socket, "close");
      }

      // New sizes for a terminal whose program has ended.
      const short = open("exec", "command=true&input=1&output=1&tty=1");
      short.on("error", () => {});
      short.on("open", () => {
        const timer = setInterval(() => short.send(resize, () => {}), 1);
        short.on("close", () => clearInterval(timer));
      });
      await once(short, "close");

      assert.ok(existsSync(`/proc/${agent}`), log());

      // Input without end for a program that reads none, with a terminal and without.
      const before = memory();
      for (const query of ["input=1&output=1&tty=1", "input=1&output=1"]) {
        const flood = open("exec", `command=sleep&command=600&${query}`);
        flood.on("error", () => {});
        await once(flood, "open");
        const block = stdin(Buffer.alloc(1 << 20, "x\n"));
        for (let sent = 0; sent < 150; sent += 1) flood.send(block, () => {});
        await setTimeout(1_500);
        assert.ok(memory() - before < 100_000, `${query}: ${memory() - before} kB more`);
        flood.terminate();
      }

      // Output without end for a client that reads none.
      const slow = open("exec", "command=sh&command=-c&command=yes&output=1");
      await once(slow, "open");
      slow.pause();
      await setTimeout(1_000);
      assert.ok(memory() - before < 100_000, `output: ${memory() - before} kB more`);
      slow.terminate();

      // What they started goes with them.
      await eventually(() => {
        const left = cluster.kubectl("exec", "target", "--", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
        assert.doesNotMatch(left, /yes(?! \|)|cat $/);
      });
      assert.equal(run("pgrep", ["-f", "fairlead.ts agent", "-P", String(cluster.pid)]).stdout.trim(), agent);
    });
  });
});
