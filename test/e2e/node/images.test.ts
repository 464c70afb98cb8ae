import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Container } from "#api/core/pod/kind.ts";
import { findProgram } from "#node/runtime/process/program.ts";
import { curl, openGround, say, until, whyNoNodes, type Ground } from "./ground.ts";

describe("images of the catalogue", { skip: whyNoNodes() }, () => {
  let ground: Ground;

  before(async () => {
    ground = await openGround("img1");
  });
  after(async () => {
    assert.deepEqual(await ground.clear(), []);
  });

  const without = (program: string) => findProgram(program) === undefined && `needs ${program}`;
  const address = async (name: string, image: string, more: Partial<Container> = {}) => {
    await ground.create(name, { containers: [{ name: "c", image, ...more }] });
    return (await ground.ready(name)).status?.podIP ?? "";
  };
  const output = async (name: string, image: string, command: string[]) => {
    const script = `{ ${command.join(" ")}; } > /dev/termination-log 2>&1`;
    await ground.create(name, {
      restartPolicy: "Never",
      containers: [{ name: "c", image, command: ["sh", "-c", script] }],
    });
    const end = await until(`${name} ends`, async () => {
      return (await ground.pod(name))?.status?.containerStatuses?.[0]?.state?.terminated;
    });
    return end.message ?? "";
  };

  test("nginx takes its servers from a ConfigMap, as its image does", { skip: without("nginx") }, async () => {
    const server = 'server { listen 8080; location / { return 200 "mine $host\\n"; } }';
    await ground.client.create("ConfigMap", {
      metadata: { name: "servers", namespace: "dev" },
      data: { "a.conf": server },
    });
    await ground.create("nginx", {
      volumes: [{ name: "v", configMap: { name: "servers" } }],
      containers: [{ name: "c", image: "nginx", volumeMounts: [{ name: "v", mountPath: "/etc/nginx/conf.d" }] }],
    });
    const { status } = await ground.ready("nginx");
    await until("it answers", () => curl(`http://${status?.podIP}:8080/`).startsWith("mine "));
  });

  test("httpd", { skip: without("busybox") }, async () => {
    const host = await address("httpd", "httpd:2.4");
    await until("it answers", () => curl(`http://${host}/`).includes("It works!"));
  });

  test("redis", { skip: without("redis-server") || without("redis-cli") }, async () => {
    const host = await address("redis", "redis:7");
    await until("it answers", () => say("redis-cli", "-h", host, "ping").trim() === "PONG");
  });

  test("busybox has its applets, after the machine's own programs", { skip: without("busybox") }, async () => {
    assert.match(await output("busybox", "busybox", ["httpd --help; command -v ls"]), /BusyBox[^]*\/bin\/ls/);
  });

  test("shells and interpreters", async () => {
    assert.equal(await output("debian", "debian:12", ["bash -c 'echo $0 $((6*7))'"]), "bash 42\n");
    assert.equal(await output("node", "node:26", ["node -p 6*7"]), "42\n");
  });

  test("pause waits, and ends at once when told to", async () => {
    await address("pause", "registry.example/pause:3.9");
    await until("it waits", () => say("ps", "ax").includes("sleep 3600"));
    const began = performance.now();
    await ground.remove("pause", 30);
    await until(
      "it has ended",
      async () => (await ground.pod("pause"))?.status?.containerStatuses?.[0]?.state?.terminated,
    );
    assert.ok(performance.now() - began < 5000);
  });

  test("a program that is not installed is named with its package", async () => {
    // Tomcat is on no machine that these tests run on, unless somebody has put it there.
    await ground.create("tomcat", { containers: [{ name: "c", image: "tomcat:10" }] });
    const state = await until("it stands still or runs", async () => {
      return (await ground.pod("tomcat"))?.status?.containerStatuses?.[0]?.state;
    });
    if (findProgram("catalina.sh") === undefined)
      assert.match(state.waiting?.message ?? "", /apt-get install tomcat10/);
    else assert.ok(state.running ?? state.terminated);
  });
});
