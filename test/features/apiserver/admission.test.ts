import assert from "node:assert/strict";
import { test } from "node:test";
import type { Admission, AdmissionRequest } from "#api/admission.ts";
import { ApiError, isApiError } from "#api/meta/status.ts";
import { ask, startTestServer } from "../../fakes/api-server.ts";

test("admissions run in order before validation, may change or refuse, and learn of every outcome once", async (t) => {
  const log: string[] = [];
  const step = (name: string, admit: (request: AdmissionRequest) => void): Admission => ({
    name,
    kinds: ["ConfigMap"],
    admit(request) {
      log.push(`${name} ${request.operation} ${request.object.metadata.name}${request.dryRun ? " dry" : ""}`);
      admit(request);
    },
    settle: (_request, committed) => void log.push(`${name} ${committed ? "kept" : "given back"}`),
  });
  const fill = step("fill", ({ object }) => Object.assign(object, { data: { filled: "yes" } }));
  const judge = step("judge", (request) => {
    const { object, user } = request;
    if (object.metadata.name === "bad") throw new ApiError("Forbidden", `not for ${user.name}`);
    if (object.metadata.name === "odd") request.warn("this is odd");
  });
  const server = await startTestServer({ admissions: [fill, judge] });
  t.after(() => server.stop());
  const client = server.localClient({ name: "me", groups: ["system:masters"] });
  await client.create("Namespace", { metadata: { name: "n" } });
  const take = () => log.splice(0);

  const made = await client.create("ConfigMap", { metadata: { namespace: "n", name: "good" } });
  assert.deepEqual(made.data, { filled: "yes" });
  assert.deepEqual(take(), ["fill CREATE good", "judge CREATE good", "fill kept", "judge kept"]);

  await assert.rejects(
    client.create("ConfigMap", { metadata: { namespace: "n", name: "bad" } }),
    (error) => isApiError(error, "Forbidden") && error.message === "not for me",
  );
  assert.deepEqual(take(), ["fill CREATE bad", "judge CREATE bad", "fill given back", "judge given back"]);

  const path = "/api/v1/namespaces/n/configmaps";
  const odd = await ask(server, `${path}?dryRun=All`, { method: "POST", body: '{"metadata":{"name":"odd"}}' });
  assert.equal(odd.code, 201);
  assert.equal(odd.headers["warning"], '299 - "this is odd"');
  assert.deepEqual(take(), ["fill CREATE odd dry", "judge CREATE odd dry", "fill given back", "judge given back"]);

  // What validation refuses is given back too.
  await assert.rejects(client.create("ConfigMap", { metadata: { namespace: "n", name: "NotAName" } }));
  assert.deepEqual(take().slice(2), ["fill given back", "judge given back"]);

  await client.patch("ConfigMap", { namespace: "n", name: "good" }, { metadata: { finalizers: ["example.org/x"] } });
  take();
  await client.delete("ConfigMap", { namespace: "n", name: "good" });
  assert.deepEqual(take()[0], "fill DELETE good");
});
