import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test, type TestContext } from "node:test";
import { readOptions } from "#ingress/options.ts";
import { certificateId, writeOcspRequest } from "#wire/ocsp.ts";
import { createAuthority, type Authority, type Pair } from "../../fakes/authority.ts";
import { answerOcsp, ocspFiles } from "../../fakes/ocsp-responder.ts";
import { ingress, ruleFor, service, startWorld, tlsSecret, type World } from "./world.ts";

interface Asked {
  readonly world: World;
  readonly urls: string[];
  /** What the responder does from now on. */
  answer: (body: Buffer) => Buffer | Error;
}

async function start(t: TestContext, pair: Pair): Promise<Asked> {
  const urls: string[] = [];
  const responder: Pick<Asked, "answer"> = { answer: () => new Error("nobody is there") };
  const web = ingress("web", {
    tls: [{ hosts: ["a.example"], secretName: "tls" }],
    rules: [ruleFor("a.example", "web")],
  });
  const world = await startWorld([service("web"), web, tlsSecret("tls", pair)], {
    options: readOptions({ "enable-ocsp": "true" }).options,
    fetchOcsp: (url, body) => {
      urls.push(url);
      const outcome = responder.answer(body);
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
  });
  t.after(() => world.running.stop());
  await world.until("the first table", () => world.running.applied() !== "0");
  return Object.assign(responder, { world, urls });
}

/** The response that the data plane was told last for the certificate. */
function stapled({ world }: Asked): string | undefined {
  const entries = world.changes.flatMap(({ certificates }) => certificates.filter(([id]) => id === "dev/tls"));
  return entries.at(-1)?.[1]?.ocsp;
}

async function pairOf(root: Authority, ocsp = "http://ocsp.example/x"): Promise<Pair> {
  const { cert, key } = await root.sign("CN=a", { names: "a.example", ocsp });
  return { cert: `${cert}\n${root.cert}`, key };
}

const day = 24 * 3600 * 1000;

test("a response that is good goes to the data plane, and is asked for anew in time", async (t) => {
  const root = await createAuthority("CN=Root");
  const pair = await pairOf(root);
  const files = ocspFiles(root, [pair.cert]);
  t.after(() => files.remove());
  const id = certificateId(new X509Certificate(pair.cert), new X509Certificate(root.cert)) ?? assert.fail();
  const response = answerOcsp(files, writeOcspRequest(id));
  const asked = await start(t, pair);
  assert.deepEqual(asked.urls, ["http://ocsp.example/x"]);
  assert.equal(stapled(asked), undefined);
  // The responder comes back; openssl's clock is the real one, and the test's is set to it.
  asked.answer = () => response;
  asked.world.clock.advance(Math.max(60_000, Date.now() - asked.world.clock.now()));
  await asked.world.until("the response", () => stapled(asked) === response.toString("base64"));
  const { length } = asked.urls;
  asked.answer = () => new Error("gone again");
  asked.world.clock.advance(3 * day + 1000);
  await asked.world.until("the next question", () => asked.urls.length > length);
  assert.equal(stapled(asked), response.toString("base64"), "the old one is still good");
  asked.world.clock.advance(5 * day);
  await asked.world.until("the end of it", () => stapled(asked) === undefined);
});

test("a response that is not good is not shown", async (t) => {
  const root = await createAuthority("CN=Root");
  const pair = await pairOf(root);
  const asked = await start(t, pair);
  asked.answer = () => Buffer.from("30030a0103", "hex");
  asked.world.clock.advance(60_000);
  await asked.world.until("the second question", () => asked.urls.length === 2);
  await asked.world.pass(20);
  assert.equal(stapled(asked), undefined);
});

test("who names no responder, or comes without its authority, is not asked about", async (t) => {
  const root = await createAuthority("CN=Root");
  const { cert, key } = await root.sign("CN=a", { names: "a.example" });
  for (const pair of [
    { cert: `${cert}\n${root.cert}`, key },
    { cert: (await pairOf(root)).cert.split("\n\n")[0] ?? "", key },
  ]) {
    const asked = await start(t, { ...pair, key });
    await asked.world.pass(20);
    assert.deepEqual(asked.urls, []);
  }
});
