import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, VolumeProjection } from "#api/core/pod/kind.ts";
import { compileVolume } from "#node/pods/volume-files.ts";
import type { RequestToken } from "#node/pods/deps.ts";
import { createPodTokens } from "#node/pods/tokens.ts";
import { manualClock } from "../../fakes/clock.ts";

const api = { path: "token", expirationSeconds: 3607 };
const vault = { path: "vault", audience: "vault", expirationSeconds: 600 };

function podWith(...tokens: NonNullable<VolumeProjection["serviceAccountToken"]>[]): Pod {
  const sources = tokens.map((serviceAccountToken) => ({ serviceAccountToken }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "dev", uid: "u1" },
    spec: { containers: [], serviceAccountName: "bot", volumes: [{ name: "v", projected: { sources } }] },
  };
}

function ground() {
  const clock = manualClock();
  const asked: Parameters<RequestToken>[0][] = [];
  const requestToken: RequestToken = async (request) => {
    asked.push(request);
    const token = `${request.audience ?? "api"}-${asked.length}`;
    return { token, expiresAt: clock.now() + (request.expirationSeconds ?? 0) * 1000 };
  };
  return { clock, asked, requestToken };
}

test("each token is asked for in the pod's name, and again after four fifths of its time", async () => {
  const { clock, asked, requestToken } = ground();
  const tokens = createPodTokens({ requestToken, clock }, podWith(api, vault));
  assert.equal(tokens.dueIn(), 0);
  assert.equal(tokens.get(api), undefined);
  await tokens.renew();
  const pod = { name: "web", uid: "u1" };
  assert.deepEqual(asked, [
    { namespace: "dev", serviceAccount: "bot", pod, expirationSeconds: 3607 },
    { namespace: "dev", serviceAccount: "bot", pod, audience: "vault", expirationSeconds: 600 },
  ]);
  assert.deepEqual([tokens.get(api), tokens.get(vault)], ["api-1", "vault-2"]);

  assert.equal(tokens.dueIn(), 480_000);
  clock.advance(479_999);
  await tokens.renew();
  assert.equal(asked.length, 2, "nothing is renewed before its time");
  clock.advance(1);
  assert.equal(tokens.dueIn(), 0);
  await tokens.renew();
  assert.deepEqual([tokens.get(api), tokens.get(vault)], ["api-1", "vault-3"]);
  assert.equal(tokens.dueIn(), 480_000);
});

test("a long token is renewed after a day", async () => {
  const { clock, requestToken } = ground();
  const tokens = createPodTokens({ requestToken, clock }, podWith({ path: "t", expirationSeconds: 30 * 86_400 }));
  await tokens.renew();
  assert.equal(tokens.dueIn(), 86_400_000);
});

test("when no new token is to be had, the old one stays, and it is still due", async () => {
  const { clock, requestToken } = ground();
  let isDown = false;
  const flaky: RequestToken = (request) => (isDown ? Promise.reject(new Error("down")) : requestToken(request));
  const tokens = createPodTokens({ requestToken: flaky, clock }, podWith(api));
  await tokens.renew();
  clock.advance(3_000_000);
  isDown = true;
  await assert.rejects(tokens.renew(), /down/);
  assert.equal(tokens.get(api), "api-1");
  assert.equal(tokens.dueIn(), 0);
  isDown = false;
  await tokens.renew();
  assert.equal(tokens.get(api), "api-2");
});

test("a volume is not written without its token: the files of an adopted pod stay until it is there", async () => {
  const { clock, requestToken } = ground();
  const pod = podWith(api);
  const tokens = createPodTokens({ requestToken, clock }, pod);
  const [volume] = pod.spec.volumes ?? [];
  assert.ok(volume);
  const compile = () =>
    compileVolume(volume, {
      pod,
      facts: { podIp: "", hostIp: "", nodeName: "", allocatable: { cpu: 1, memory: 1 } },
      configMap: () => undefined,
      secret: () => undefined,
      token: (source) => tokens.get(source),
    });
  assert.deepEqual(compile(), { ok: false, message: "volume v: its token has not been given yet" });
  await tokens.renew();
  // Whoever the program runs as has to read it; nobody else gets to the pod's files.
  assert.deepEqual(compile(), { ok: true, files: [{ path: "token", bytes: Buffer.from("api-1"), mode: 0o644 }] });
});

test("without anybody to ask, and without a token to ask for, there is nothing to do", async () => {
  const { clock, asked, requestToken } = ground();
  assert.equal(createPodTokens({ clock }, podWith(api)).dueIn(), undefined);
  const none = createPodTokens({ requestToken, clock }, podWith());
  await none.renew();
  assert.deepEqual([none.dueIn(), asked.length], [undefined, 0]);
});
