import assert from "node:assert/strict";
import { test } from "node:test";
import { servedKinds } from "#api/kinds.ts";
import { reviewForms } from "#api/review-forms.ts";
import { describeField, describeMessage, messageTexts } from "#api/schema/describe/texts.ts";
import { messageNames, messageOf, scalarMessages } from "#api/schema/message.ts";
import { compileOpenApiV2 } from "#api/schema/openapi-v2.ts";
import { compileOpenApiV3, openApiV3Keys } from "#api/schema/openapi-v3.ts";

/** Every message that some kind or review reaches. */
function reached(): Set<string> {
  const found = new Set<string>();
  const waiting = [...servedKinds.map(({ version }) => version.schema), ...reviewForms.map(({ schema }) => schema)];
  for (let message = waiting.pop(); message !== undefined; message = waiting.pop()) {
    if (found.has(message)) continue;
    found.add(message);
    if (scalarMessages.has(message)) continue;
    waiting.push(...[...messageOf(message).byName.values()].flatMap((field) => field.message ?? []));
  }
  return found;
}

test("every kind, every part of one and every field says what it means", () => {
  const silent = [...reached()].flatMap((message) => {
    const own = describeMessage(message) ? [] : [message];
    if (scalarMessages.has(message)) return own;
    const isTop = servedKinds.some(({ version }) => version.schema === message);
    const fields = [...messageOf(message).byName.keys(), ...(isTop ? ["apiVersion", "kind"] : [])];
    return [
      ...own,
      ...fields.filter((name) => !describeField(message, name)?.text).map((name) => `${message}.${name}`),
    ];
  });
  assert.deepEqual(silent, [], "write these down in src/api/schema/describe");
});

test("no text is about something that is not there", () => {
  const known = new Set(messageNames());
  const bases = new Set([...messageTexts().values()].flatMap(({ base }) => base ?? []));
  const astray = [...messageTexts()].flatMap(([message, { fields, base }]) => {
    if (base !== undefined && !messageTexts().has(base)) return [`${message} < ${base}`];
    if (message.startsWith("any.")) return bases.has(message) ? [] : [message];
    if (scalarMessages.has(message)) return [];
    if (!known.has(message)) return [message];
    return [...fields.keys()]
      .filter((name) => !messageOf(message).byName.has(name))
      .map((name) => `${message}.${name}`);
  });
  assert.deepEqual(astray, []);
});

test("texts are sentences of bearable length", () => {
  for (const [message, { text, fields }] of messageTexts()) {
    for (const [name, words] of [
      ["", text] as const,
      ...[...fields].map(([name, field]) => [name, field.text] as const),
    ]) {
      if (words === "" && name !== "") continue;
      assert.match(words, /^["A-Z].*\.$/, `${message}.${name}`);
      assert.ok(words.length <= 260, `${message}.${name} is ${words.length} characters long`);
    }
  }
});

interface Property {
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly $ref?: string;
  readonly allOf?: readonly { readonly $ref: string }[];
}

interface Form extends Property {
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Property>>;
}

test("both versions of OpenAPI carry the texts, what must be given, and what values there are", () => {
  const v3 = compileOpenApiV3("api/v1") as { components: { schemas: Record<string, Form> } };
  for (const definitions of [compileOpenApiV2().definitions, v3.components.schemas]) {
    const { description, required, properties } = definitions["io.k8s.api.core.v1.ServicePort"] as Form;
    assert.equal(description, "One port that a Service offers.");
    assert.deepEqual(required, ["port"]);
    assert.match(properties?.["port"]?.description ?? "", /from 1 to 65535/);
    assert.deepEqual(properties?.["protocol"]?.enum, ["SCTP", "TCP", "UDP"]);
  }
});

test("a field of another message refers to it beside its text, as each version allows", () => {
  const name = "io.k8s.api.core.v1.ServiceSpec";
  const v2 = (compileOpenApiV2().definitions["io.k8s.api.core.v1.Service"] as Form).properties?.["spec"];
  const document = compileOpenApiV3("api/v1") as { components: { schemas: Record<string, Form> } };
  const v3 = document.components.schemas["io.k8s.api.core.v1.Service"]?.properties?.["spec"];
  assert.equal(v2?.$ref, `#/definitions/${name}`);
  assert.deepEqual(v3?.allOf, [{ $ref: `#/components/schemas/${name}` }]);
  assert.equal(v2.description, v3.description);
});

test("reviews are documented too, with the one thing that can be done with them", () => {
  assert.ok(openApiV3Keys().includes("apis/authorization.k8s.io/v1"));
  const { paths } = compileOpenApiV3("apis/authorization.k8s.io/v1") as { paths: Record<string, object> };
  assert.deepEqual(Object.keys(paths["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"] ?? {}), ["post"]);
});
