import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { ContainerStatus, Pod } from "#api/core/pod/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { curl, openGround, say, until, whyNoNodes, type Ground } from "./ground.ts";

const objects = [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "kubernetes", namespace: "default" },
    spec: { clusterIP: "10.96.0.1", ports: [{ name: "https", port: 443 }] },
  },
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "settings", namespace: "dev" },
    data: { greeting: "hello" },
  },
] as unknown as KubeObject[];

describe("pods", { skip: whyNoNodes() }, () => {
  let ground: Ground;

  before(async () => {
    ground = await openGround("pod1", objects);
  });
  after(async () => {
    assert.deepEqual(await ground.clear(), []);
    assert.equal(existsSync("/sys/fs/cgroup/memory/fairlead-pod1"), false);
  });

  const statusOf = async (name: string): Promise<ContainerStatus | undefined> =>
    (await ground.pod(name))?.status?.containerStatuses?.[0];
  const shell = (script: string) => ({ name: "c", image: "busybox", command: ["sh", "-c", script] });
  /** Runs a script to its end and gives the words it left. */
  const runToEnd = async (name: string, spec: Partial<Pod["spec"]> & Pick<Pod["spec"], "containers">) => {
    await ground.create(name, { restartPolicy: "Never", ...spec });
    const pod = await until(`${name} ends`, async () => {
      const found = await ground.pod(name);
      return ["Succeeded", "Failed"].includes(found?.status?.phase ?? "") && found;
    });
    return { phase: pod.status?.phase, said: pod.status?.containerStatuses?.[0]?.state?.terminated?.message ?? "" };
  };
  const tell = (script: string) => shell(`{ ${script}; } > /dev/termination-log 2>&1`);

  test("the nodes are registered, ready, and renew their leases", async () => {
    for (const { name, address, podCidr } of ground.topology.nodes) {
      const node = await ground.client.get("Node", { name });
      assert.equal(node?.spec?.podCIDR, podCidr);
      assert.equal(node?.status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
      assert.deepEqual(node?.status?.addresses?.[0], { type: "InternalIP", address });
      assert.equal(node?.metadata.labels?.["kubernetes.io/hostname"], name);
      const lease = await ground.client.get("Lease", { namespace: "kube-node-lease", name });
      assert.equal(lease?.spec?.holderIdentity, name);
    }
  });

  test("an image of the catalogue serves from the pod's address", async () => {
    await ground.create("web", { containers: [{ name: "c", image: "nginx:1.17.1" }] });
    const pod = await ground.ready("web");
    await until("nginx answers", () => /Welcome to nginx/.test(curl(`http://${pod.status?.podIP}/`)));
    assert.equal(pod.status?.hostIP, "172.30.0.11");
  });

  test("pods on different nodes reach each other by address", async () => {
    const readinessProbe = { httpGet: { path: "/health", port: 8080 } };
    await ground.create("echo", {
      nodeName: "node-2",
      containers: [{ name: "c", image: "fairlead/echo", readinessProbe }],
    });
    const address = (await ground.ready("echo")).status?.podIP;
    const { said } = await runToEnd("asks", { containers: [tell(`curl -s -m 3 http://${address}:8080/ | head -1`)] });
    assert.equal(said, "Hostname: echo\n");
  });

  test("variables, names, name servers and volumes are as the spec says", async () => {
    const { phase, said } = await runToEnd("looks", {
      hostname: "own",
      subdomain: "sub",
      volumes: [
        { name: "v", configMap: { name: "settings" } },
        { name: "e", emptyDir: {} },
      ],
      initContainers: [
        { ...shell("echo from init > /e/x"), name: "i", volumeMounts: [{ name: "e", mountPath: "/e" }] },
      ],
      containers: [
        {
          ...tell(
            "cat /v/greeting; echo; cat /e/x; hostname; echo $KUBERNETES_SERVICE_HOST $GREETING; grep -c sub.dev /etc/hosts; cat /etc/resolv.conf",
          ),
          env: [{ name: "GREETING", valueFrom: { configMapKeyRef: { name: "settings", key: "greeting" } } }],
          volumeMounts: [
            { name: "v", mountPath: "/v" },
            { name: "e", mountPath: "/e" },
          ],
        },
      ],
    });
    assert.equal(phase, "Succeeded");
    assert.match(
      said,
      /^hello\nfrom init\nown\n10\.96\.0\.1 hello\n1\nnameserver 10\.96\.0\.10\nsearch dev\.svc\.cluster\.local/,
    );
  });

  test("a running pod sees its ConfigMap change", async () => {
    await ground.create("follows", {
      volumes: [{ name: "v", configMap: { name: "settings" } }],
      containers: [
        {
          ...shell("while ! grep -q changed /v/greeting; do sleep 0.05; done; cp /v/greeting /dev/termination-log"),
          volumeMounts: [{ name: "v", mountPath: "/v" }],
        },
      ],
      restartPolicy: "Never",
    });
    await ground.ready("follows");
    await ground.client.patch("ConfigMap", { namespace: "dev", name: "settings" }, { data: { greeting: "changed" } });
    const end = await until("the pod has seen it", async () => (await statusOf("follows"))?.state?.terminated);
    assert.equal(end.message, "changed");
  });

  test("a pod waits for what it refers to, and starts when it is there", async () => {
    const container = {
      ...tell("echo $T"),
      env: [{ name: "T", valueFrom: { secretKeyRef: { name: "late", key: "t" } } }],
    };
    await ground.create("waits", { restartPolicy: "Never", containers: [container] });
    const waiting = await until("it says why", async () => (await statusOf("waits"))?.state?.waiting);
    assert.deepEqual(waiting, { reason: "CreateContainerConfigError", message: 'secret "late" not found' });
    await ground.client.create("Secret", { metadata: { name: "late", namespace: "dev" }, data: { t: "bm93" } });
    const end = await until("it has run", async () => (await statusOf("waits"))?.state?.terminated);
    assert.equal(end.message, "now\n");
  });

  test("an image that cannot be run says what to do", async () => {
    await ground.create("unknown", { containers: [{ name: "c", image: "acme/app:2" }] });
    const waiting = await until("it says why", async () => (await statusOf("unknown"))?.state?.waiting);
    assert.equal(waiting.reason, "ImageNotAvailable");
    assert.match(waiting.message ?? "", /acme\/app is not in the catalogue/);
    assert.equal((await ground.pod("unknown"))?.status?.phase, "Pending");
  });

  test("what fails is started again at once, then with growing pauses", async () => {
    await ground.create("fails", { containers: [shell("exit 3")] });
    const status = await until("it backs off", async () => {
      const found = await statusOf("fails");
      return found?.state?.waiting?.reason === "CrashLoopBackOff" && found;
    });
    assert.equal(status.restartCount, 1);
    assert.deepEqual([status.lastState?.terminated?.exitCode, status.lastState?.terminated?.reason], [3, "Error"]);
    const events = (await ground.client.list("Event", { namespace: "dev" })).items;
    assert.ok(events.some(({ involvedObject, reason }) => involvedObject.name === "fails" && reason === "Started"));
  });

  test("a failing liveness probe restarts the container", async () => {
    const livenessProbe = { exec: { command: ["false"] }, periodSeconds: 1, failureThreshold: 1 };
    await ground.create("unwell", {
      terminationGracePeriodSeconds: 1,
      containers: [{ ...shell("sleep 100"), livenessProbe }],
    });
    await until("it was restarted", async () => ((await statusOf("unwell"))?.restartCount ?? 0) > 0);
    await ground.remove("unwell", 0);
  });

  test("readiness follows its probe both ways", async () => {
    const readinessProbe = { exec: { command: ["test", "-e", "/tmp/ok"] }, periodSeconds: 1, failureThreshold: 1 };
    const script = "touch /tmp/ok; sleep 2; rm /tmp/ok; sleep 100";
    await ground.create("turns", { containers: [{ ...shell(script), readinessProbe }] });
    await ground.ready("turns");
    await until("it is unready again", async () => (await statusOf("turns"))?.ready === false);
  });

  test("an end is graceful: preStop, SIGTERM, and the last status before the object goes", async () => {
    const script = "trap 'echo term >> /e/log; exit 0' TERM; while :; do sleep 0.05; done";
    await ground.create("leaves", {
      volumes: [{ name: "e", hostPath: { path: ground.dataDir } }],
      containers: [
        {
          ...shell(script),
          volumeMounts: [{ name: "e", mountPath: "/e" }],
          lifecycle: { preStop: { exec: { command: ["sh", "-c", "echo stop >> /e/log"] } } },
        },
      ],
    });
    const pod = await ground.ready("leaves");
    await ground.remove("leaves", 5);
    const end = await until("it has ended", async () => (await statusOf("leaves"))?.state?.terminated);
    assert.equal(end.exitCode, 0);
    assert.equal(say("cat", `${ground.dataDir}/log`), "stop\nterm\n");
    await until(
      "its network is gone",
      () => !say("ping", "-c1", "-W1", pod.status?.podIP ?? "").includes("1 received"),
    );
  });

  test("an object that vanishes takes its pod along at once", async () => {
    await ground.create("vanishes", { containers: [shell("trap '' TERM; while :; do sleep 1; done")] });
    const pod = await ground.ready("vanishes");
    const began = performance.now();
    await ground.client.delete("Pod", { namespace: "dev", name: "vanishes" });
    await until("its folder is gone", () => !existsSync(`${ground.dataDir}/pods/${pod.metadata.uid}`));
    assert.ok(performance.now() - began < 3000);
  });

  test("a volume in memory has its size, a group its files, and both go with the pod", async () => {
    const { said } = await runToEnd("memory", {
      securityContext: { fsGroup: 2000, runAsUser: 1000 },
      volumes: [
        { name: "m", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
        { name: "e", emptyDir: {} },
      ],
      containers: [
        {
          ...tell("df -k /m | tail -1 | tr -s ' ' | cut -d' ' -f1,2; touch /e/x && stat -c %u:%g /e/x; id -G"),
          volumeMounts: [
            { name: "m", mountPath: "/m" },
            { name: "e", mountPath: "/e" },
          ],
        },
      ],
    });
    assert.equal(said, "tmpfs 1024\n1000:2000\n0 2000\n");
    await ground.remove("memory", 0);
    await until("its mount is gone", () => !say("cat", "/proc/self/mounts").includes("volumes/m"));
  });

  test("a sidecar starts first, is restarted, and ends last", async () => {
    const side =
      "echo side up >> /e/order; trap 'echo side down >> /e/order; exit 0' TERM; while :; do sleep 0.05; done";
    const main =
      "echo main up >> /e/order; trap 'echo main down >> /e/order; exit 0' TERM; while :; do sleep 0.05; done";
    const volumeMounts = [{ name: "e", mountPath: "/e" }];
    await ground.create("both", {
      volumes: [{ name: "e", hostPath: { path: ground.dataDir } }],
      initContainers: [{ ...shell(side), name: "side", restartPolicy: "Always", volumeMounts }],
      containers: [{ ...shell(main), volumeMounts }],
    });
    await ground.ready("both");
    const order = () => say("cat", `${ground.dataDir}/order`);
    await until("both have said so", () => order().includes("main up"));
    await ground.remove("both", 5);
    await until("both are down", () => order().includes("side down"));
    assert.equal(order(), "side up\nmain up\nmain down\nside down\n");
  });

  test("a failed container without last words is spoken for by its log", async () => {
    const container = { ...shell("echo it went wrong; exit 1"), terminationMessagePolicy: "FallbackToLogsOnError" };
    const { said } = await runToEnd("speaks", { containers: [container] });
    assert.equal(said, "it went wrong\n");
  });

  test("a pod that runs longer than it may is ended and failed", async () => {
    const container = shell("sleep 100");
    await ground.create("overdue", {
      activeDeadlineSeconds: 1,
      terminationGracePeriodSeconds: 0,
      containers: [container],
    });
    const pod = await until("it has failed", async () => {
      const found = await ground.pod("overdue");
      return found?.status?.phase === "Failed" && found;
    });
    assert.equal(pod.status?.reason, "DeadlineExceeded");
  });

  test("a shorter grace that comes later cuts a long end short", async () => {
    await ground.create("slow", { containers: [shell("trap '' TERM; while :; do sleep 0.1; done")] });
    await ground.ready("slow");
    await ground.remove("slow", 60);
    await until("it is being ended", async () =>
      (await ground.client.list("Event")).items.some(
        (one) => one.involvedObject.name === "slow" && one.reason === "Killing",
      ),
    );
    await ground.remove("slow", 0);
    await until("it has ended", async () => (await statusOf("slow"))?.state?.terminated);
  });

  test("another agent takes over without a ready pod ever being unready", async () => {
    const { resourceVersion = "0" } = (await ground.pod("echo"))?.metadata ?? {};
    const seen: (string | undefined)[] = [];
    const stop = ground.client.watch(
      "Pod",
      { namespace: "dev", since: resourceVersion, fieldSelector: "metadata.name=echo" },
      {
        event: ({ object }) => seen.push(object.status?.conditions?.find(({ type }) => type === "Ready")?.status),
        end: () => {},
      },
    );
    await ground.restart();
    await ground.client.patch("Pod", { namespace: "dev", name: "echo" }, { metadata: { labels: { again: "yes" } } });
    await until("the new agent has looked", () => seen.length >= 2);
    stop();
    assert.deepEqual([...new Set(seen)], ["True"]);
  });

  test("another agent adopts what runs, with its counts", async () => {
    const before = await statusOf("web");
    await ground.restart();
    await ground.client.patch("Pod", { namespace: "dev", name: "web" }, { metadata: { labels: { touched: "yes" } } });
    await until("the pod is looked at", async () => (await ground.pod("web"))?.metadata.labels?.["touched"] === "yes");
    assert.equal((await statusOf("web"))?.containerID, before?.containerID);
    assert.match(curl(`http://${(await ground.pod("web"))?.status?.podIP}/`), /Welcome to nginx/);
  });
});
