import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { systemClock } from "#base/clock.ts";
import type { Affinity, Filter } from "#dataplane/table.ts";
import { ask, backend, change, deadPort, echoEndpoint, field, host, route, startPlane } from "./harness.ts";

const plain: Affinity = {
  type: "affinity",
  cookie: "stick",
  mode: "balanced",
  path: "/",
  secure: false,
  conditionalSameSite: false,
  changeOnFailure: false,
};

async function planeWith(t: TestContext, ports: readonly number[], filters: readonly Filter[], clock = systemClock) {
  const { plane, port } = await startPlane(t, { clock });
  const apply = (ports: readonly number[]) =>
    plane.apply(change({ hosts: [host("*", [route("r", { filters })])], backends: [backend("b", ports)] }));
  await apply(ports);
  const get = async (cookie?: string, ...fields: string[]) => {
    const { status, head, body } = await ask(t, port, "GET /", [
      ...(cookie === undefined ? [] : [`Cookie: other=1; stick=${cookie}`]),
      ...fields,
    ]);
    const line = field(head, "set-cookie");
    return { status, by: body[0], line, cookie: /^stick=([^;]*)/.exec(line ?? "")?.[1] };
  };
  return { apply, get };
}

const endpoints = (t: TestContext) => Promise.all(["a", "b", "c", "d"].map((name) => echoEndpoint(t, name)));

for (const mode of ["balanced", "persistent"] as const) {
  test(`${mode}: a client stays, and gets its cookie once`, async (t) => {
    const { get } = await planeWith(t, await endpoints(t), [{ ...plain, mode }]);
    const homes = new Set<string | undefined>();
    for (let client = 0; client < 12; client += 1) {
      const first = await get();
      assert.match(first.cookie ?? "", /^[0-9a-f]{32}\|[0-9a-f]{32}$/);
      homes.add(first.by);
      for (let count = 0; count < 3; count += 1) {
        const next = await get(first.cookie);
        assert.equal(next.by, first.by);
        assert.equal(next.line, undefined);
      }
    }
    assert.ok(homes.size > 1);
  });

  test(`${mode}: a cookie that is not ours counts as none`, async (t) => {
    const { get } = await planeWith(t, await endpoints(t), [{ ...plain, mode }]);
    for (const forged of ["x", "", `${"0".repeat(32)}|${"1".repeat(32)}`])
      assert.ok((await get(forged)).cookie, forged);
  });

  test(`${mode}: an endpoint that went loses its clients, who get another and a new cookie`, async (t) => {
    const ports = await endpoints(t);
    const { apply, get } = await planeWith(t, ports, [{ ...plain, mode }]);
    const first = await get();
    await apply(ports.filter((_, index) => "abcd"[index] !== first.by));
    const moved = await get(first.cookie);
    assert.notEqual(moved.by, first.by);
    assert.equal((await get(moved.cookie ?? first.cookie)).by, moved.by);
  });

  test(`${mode}: when its endpoint fails a client gets 502, or with change-on-failure another`, async (t) => {
    const alive = await echoEndpoint(t, "a");
    const dead = await deadPort();
    const staying = await planeWith(t, [dead], [{ ...plain, mode }]);
    const { cookie, status } = await staying.get();
    assert.equal(status, 502);
    await staying.apply([alive, dead]);
    assert.ok(cookie !== undefined);
    const changing = await planeWith(t, [dead], [{ ...plain, mode, changeOnFailure: true }]);
    const before = (await changing.get()).cookie;
    await changing.apply([alive, dead]);
    const after = await changing.get(before);
    assert.equal(after.status, 200);
    assert.equal(after.by, "a");
  });
}

test("persistent: endpoints that come move nobody", async (t) => {
  const ports = await endpoints(t);
  const { apply, get } = await planeWith(t, ports.slice(0, 1), [{ ...plain, mode: "persistent" }]);
  const { cookie } = await get();
  await apply(ports);
  for (let count = 0; count < 8; count += 1) assert.equal((await get(cookie)).by, "a");
});

test("the cookie says all it was told to", async (t) => {
  const clock = { ...systemClock, now: () => Date.UTC(2006, 0, 2, 15, 4, 5) };
  const filter: Affinity = {
    ...plain,
    path: "/shop",
    domain: "a.example",
    expiresS: 3600,
    maxAgeS: 60,
    secure: true,
    sameSite: "None",
    conditionalSameSite: true,
  };
  const { get } = await planeWith(t, await endpoints(t), [filter], clock);
  const rest = async (...fields: string[]) => (await get(undefined, ...fields)).line?.replace(/^[^;]*; /, "");
  const date = "Expires=Mon, 02-Jan-06 16:04:05 GMT; Max-Age=60; Domain=a.example; Path=/shop; Secure; HttpOnly";
  assert.equal(await rest(), `${date}; SameSite=None`);
  assert.equal(await rest("User-Agent: Mozilla/5.0 Chrome/52.0.1 Safari/537"), date);
});

test("hash-by: the same text goes to the same endpoint, another perhaps not", async (t) => {
  const { get } = await planeWith(t, await endpoints(t), [{ type: "hash-by", text: "$http_x_user" }]);
  const homes = new Set<string | undefined>();
  for (let user = 0; user < 12; user += 1) {
    const first = await get(undefined, `X-User: ${user}`);
    assert.equal(first.line, undefined);
    homes.add(first.by);
    for (let count = 0; count < 3; count += 1) assert.equal((await get(undefined, `X-User: ${user}`)).by, first.by);
  }
  assert.ok(homes.size > 1);
});
