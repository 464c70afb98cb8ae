import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Client } from "#client/contract.ts";
import { createFakeClient } from "#client/fake.ts";
import { ApiError } from "#api/meta/status.ts";
import { silentLog } from "#base/log.ts";
import { startElection, type RunningElection } from "#controllers/leader-election/elect.ts";
import { defaultElectionTimes, electionProblem, type ElectionTimes } from "#controllers/leader-election/times.ts";
import { manualClock } from "../../fakes/clock.ts";

const name = "kube-controller-manager";
const key = { namespace: "kube-system", name };

interface Candidate {
  readonly election: RunningElection;
  /** What it has begun and not ended yet. */
  readonly running: () => number;
  /** The API cannot be reached by it any more. */
  cutOff(): void;
  /** It hears and says nothing any more, as if killed. */
  kill(): void;
}

function arena() {
  const clock = manualClock();
  const api = createFakeClient([], clock);
  const everyone: Candidate[] = [];

  function candidate(identity: string): Candidate {
    let isCut = false;
    let isDead = false;
    let running = 0;
    const reach = <T>(call: () => Promise<T>): Promise<T> => {
      if (isDead) return new Promise(() => {});
      return isCut ? Promise.reject(new ApiError("ServiceUnavailable", "away")) : call();
    };
    const client: Client = {
      ...api,
      get: (kind, object) => reach(() => api.get(kind, object)),
      create: (kind, object) => reach(() => api.create(kind, object)),
      update: (kind, object) => reach(() => api.update(kind, object)),
    };
    const own = { ...clock, after: (ms: number, callback: () => void) => clock.after(ms, () => isDead || callback()) };
    const lead = async () => {
      running += 1;
      return {
        async stop() {
          running -= 1;
        },
      };
    };
    const election = startElection({ client, name, identity, clock: own, log: silentLog, random: () => 0.5, lead });
    const made = {
      election,
      running: () => (isDead ? 0 : running),
      cutOff: () => void (isCut = true),
      kill: () => void (isDead = true),
    };
    everyone.push(made);
    return made;
  }

  /** Lets time go by; never do two lead at once. */
  async function pass(ms: number): Promise<void> {
    for (let gone = 0; gone < ms; gone += 500) {
      clock.advance(500);
      for (let turn = 0; turn < 10; turn += 1) {
        await setImmediate();
        const leaders = everyone.filter(({ running }) => running() > 0).length;
        assert.ok(leaders <= 1, `${leaders} lead`);
      }
    }
  }

  const lease = async () => (await api.get("Lease", key))?.spec;
  return { api, candidate, pass, lease };
}

test("one leads, renews, and the others wait for as long as it does", async () => {
  const { candidate, pass, lease } = arena();
  const first = candidate("a");
  await pass(500);
  const second = candidate("b");
  await pass(60_000);
  assert.deepEqual([first.running(), second.running()], [1, 0]);
  const { holderIdentity, leaseDurationSeconds, leaseTransitions, acquireTime, renewTime } = (await lease()) ?? {};
  assert.deepEqual([holderIdentity, leaseDurationSeconds, leaseTransitions], ["a", 15, 0]);
  assert.match(acquireTime ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.ok((renewTime ?? "") > (acquireTime ?? ""));
  await first.election.stop();
  await second.election.stop();
});

test("when the leader dies another takes over, after the lease and not before", async () => {
  const { candidate, pass, lease } = arena();
  const first = candidate("a");
  await pass(500);
  const second = candidate("b");
  await pass(10_000);
  first.kill();
  await pass(10_000);
  assert.equal(second.running(), 0, "the lease holds yet");
  await pass(12_000);
  assert.equal(second.running(), 1);
  const { holderIdentity, leaseTransitions } = (await lease()) ?? {};
  assert.deepEqual([holderIdentity, leaseTransitions], ["b", 1]);
  await second.election.stop();
});

test("a leader that cannot renew stops by itself before another begins, and comes back as a candidate", async () => {
  const { candidate, pass } = arena();
  const first = candidate("a");
  await pass(500);
  const second = candidate("b");
  await pass(4000);
  first.cutOff();
  await pass(9000);
  assert.equal(first.running(), 1, "it may come back in time");
  await pass(2000);
  assert.deepEqual([first.running(), first.election.isLeading(), second.running()], [0, false, 0]);
  await pass(12_000);
  assert.deepEqual([first.running(), second.running()], [0, 1]);
  await second.election.stop();
  await first.election.stop();
});

test("a leader that is stopped gives its place away: nobody waits for the lease to end", async () => {
  const { api, candidate, pass, lease } = arena();
  const first = candidate("a");
  await pass(500);
  const second = candidate("b");
  await pass(5000);
  await first.election.stop();
  assert.equal(first.running(), 0);
  assert.equal((await lease())?.holderIdentity, "");
  await pass(6000);
  assert.equal(second.running(), 1);
  await second.election.stop();
  const events = (await api.list("Event")).items.map(({ reason, message }) => `${reason}: ${message}`);
  assert.deepEqual(events.sort(), ["LeaderElection: a became leader", "LeaderElection: b became leader"]);
});

const wrong: readonly (readonly [times: Partial<ElectionTimes>, problem: RegExp])[] = [
  [{ leaseDuration: 10_000 }, /^leaseDuration must be greater than renewDeadline$/],
  [{ renewDeadline: 2400 }, /^renewDeadline must be greater than retryPeriod\*JitterFactor$/],
  [{ retryPeriod: 0 }, /^retryPeriod must be greater than zero$/],
  [{ leaseDuration: 900, renewDeadline: 500, retryPeriod: 100 }, /^leaseDuration must be at least a second$/],
];

test("times that could let two lead are refused", () => {
  assert.equal(electionProblem(defaultElectionTimes), undefined);
  for (const [times, problem] of wrong) {
    assert.match(electionProblem({ ...defaultElectionTimes, ...times }) ?? "", problem);
  }
});
