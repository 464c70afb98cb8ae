import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodSpec, PodStatus } from "#api/core/pod/kind.ts";
import { findCondition } from "#api/meta/condition.ts";
import { decide } from "#node/pods/decide.ts";
import { compileStatus, type Ending } from "#node/pods/status.ts";
import { adoptTrack, createTrack, noteEnding, standingOf, viewOf, type Track } from "#node/pods/track.ts";
import type { ContainerInfo } from "#node/runtime/contract.ts";

const now = Date.UTC(2026, 0, 1, 12);

function statusOf(spec: PodSpec, change: (track: (name: string) => Track) => void, before: PodStatus = {}): PodStatus {
  const metadata = { name: "web", namespace: "dev", uid: "u1" };
  const pod: Pod = { apiVersion: "v1", kind: "Pod", metadata, spec, status: before };
  const names = [...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => name);
  const tracks = new Map(names.map((name) => [name, createTrack(name)]));
  const track = (name: string) => tracks.get(name) as Track;
  change(track);
  return compileStatus({
    pod,
    viewOf: (name) => viewOf(track(name)),
    decision: decide(spec, (name) => standingOf(track(name)), now),
    addresses: ["10.244.1.2", "fd00:10:244:1::2"],
    hostAddresses: ["172.30.0.11"],
    networkReady: true,
    now,
  });
}

const run = (track: Track, ready = true) =>
  Object.assign(track, { state: "running", id: "c1", starts: 1, started: true, ready, startedAt: now });
const ending = (exitCode: number): Ending => ({
  exitCode,
  reason: exitCode === 0 ? "Completed" : "Error",
  message: "",
  startedAt: now - 2000,
  finishedAt: now - 1000,
  containerId: "c1",
});
const conditionsOf = (status: PodStatus) =>
  Object.fromEntries(
    (status.conditions ?? []).map(({ type, status, reason }) => [type, reason ? `${status} ${reason}` : status]),
  );

test("a pod whose containers run and are ready", () => {
  const status = statusOf({ containers: [{ name: "a", image: "nginx" }] }, (track) => run(track("a")));
  assert.equal(status.phase, "Running");
  assert.deepEqual(
    [status.podIP, status.podIPs, status.hostIP],
    ["10.244.1.2", [{ ip: "10.244.1.2" }, { ip: "fd00:10:244:1::2" }], "172.30.0.11"],
  );
  assert.deepEqual(conditionsOf(status), {
    PodReadyToStartContainers: "True",
    Initialized: "True",
    Ready: "True",
    ContainersReady: "True",
    PodScheduled: "True",
  });
  const [container] = status.containerStatuses ?? [];
  assert.deepEqual(container?.state, { running: { startedAt: "2026-01-01T12:00:00Z" } });
  assert.equal(container?.containerID, "fairlead://c1");
});

test("an unready container makes the pod unready and is named", () => {
  const status = statusOf({ containers: [{ name: "a" }, { name: "b" }] }, (track) => {
    run(track("a"));
    run(track("b"), false);
  });
  const ready = findCondition(status.conditions, "Ready");
  assert.deepEqual([ready?.status, ready?.message], ["False", "containers with unready status: [b]"]);
});

test("a readiness gate that nobody has opened keeps the pod unready", () => {
  const spec: PodSpec = { containers: [{ name: "a" }], readinessGates: [{ conditionType: "example.com/gate" }] };
  assert.equal(conditionsOf(statusOf(spec, (track) => run(track("a"))))["Ready"], "False ReadinessGatesNotReady");
  const before = { conditions: [{ type: "example.com/gate", status: "True" as const }] };
  const open = conditionsOf(statusOf(spec, (track) => run(track("a")), before));
  assert.deepEqual([open["Ready"], open["example.com/gate"]], ["True", "True"]);
});

test("before its init containers are done a pod is pending", () => {
  const spec: PodSpec = { initContainers: [{ name: "i" }], containers: [{ name: "a" }] };
  const status = statusOf(spec, (track) => run(track("i"), false));
  assert.equal(status.phase, "Pending");
  assert.equal(conditionsOf(status)["Initialized"], "False ContainersNotInitialized");
  assert.deepEqual(status.containerStatuses?.[0]?.state, { waiting: { reason: "PodInitializing" } });
});

test("a container that keeps failing waits, and shows how it ended last", () => {
  const status = statusOf({ containers: [{ name: "a" }] }, (track) => {
    Object.assign(run(track("a")), { starts: 2, crashes: 1 });
    noteEnding(track("a"), ending(3));
  });
  const [container] = status.containerStatuses ?? [];
  assert.equal(status.phase, "Running");
  assert.equal(container?.state?.waiting?.reason, "CrashLoopBackOff");
  assert.match(
    container?.state?.waiting?.message ?? "",
    /^back-off 10s restarting failed container=a pod=web_dev\(u1\)$/,
  );
  assert.equal(container?.lastState?.terminated?.exitCode, 3);
  assert.equal(container?.restartCount, 1);
});

test("what cannot be started says why", () => {
  const waiting = { reason: "ImageNotAvailable", message: "no such program" };
  const status = statusOf({ containers: [{ name: "a" }] }, (track) => Object.assign(track("a"), { waiting }));
  assert.equal(status.phase, "Pending");
  assert.deepEqual(status.containerStatuses?.[0]?.state, { waiting });
});

test("a pod that is over", () => {
  const spec: PodSpec = { restartPolicy: "Never", containers: [{ name: "a" }, { name: "b" }] };
  const end = (codes: [number, number]) =>
    statusOf(spec, (track) => {
      for (const [index, name] of ["a", "b"].entries()) noteEnding(run(track(name)), ending(codes[index] ?? 0));
    });
  assert.deepEqual([end([0, 0]).phase, conditionsOf(end([0, 0]))["Ready"]], ["Succeeded", "False PodCompleted"]);
  assert.deepEqual([end([0, 1]).phase, conditionsOf(end([0, 1]))["Ready"]], ["Failed", "False PodFailed"]);
});

test("the time of a condition moves only with its status", () => {
  const spec: PodSpec = { containers: [{ name: "a" }] };
  const early = "2026-01-01T00:00:00Z";
  const before = { conditions: [{ type: "Ready", status: "True" as const, lastTransitionTime: early }] };
  const same = statusOf(spec, (track) => run(track("a")), before);
  assert.equal(findCondition(same.conditions, "Ready")?.lastTransitionTime, early);
  const turned = statusOf(spec, (track) => run(track("a"), false), before);
  assert.equal(findCondition(turned.conditions, "Ready")?.lastTransitionTime, "2026-01-01T12:00:00Z");
});

test("an adopted container counts its earlier starts", () => {
  const info = (attempt: number, state: ContainerInfo["state"]): ContainerInfo => ({
    id: `c${attempt}`,
    sandboxId: "s",
    config: { name: "a", attempt } as ContainerInfo["config"],
    state,
    createdAt: now - 10_000 + attempt,
    startedAt: now - 9000,
    ...(state === "exited" ? { exitCode: 137, outOfMemory: true, finishedAt: now - 8000 } : {}),
  });
  const track = createTrack("a");
  adoptTrack(track, [info(3, "exited"), info(4, "running")]);
  const view = viewOf(track);
  assert.deepEqual([view.state, view.containerId, view.restartCount], ["running", "c4", 4]);
  assert.deepEqual([view.lastEnding?.reason, track.previousId], ["OOMKilled", "c3"]);
});
