import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ingress } from "#api/networking/ingress/kind.ts";
import { nginx } from "#ingress/annotations/group.ts";
import { annotationGroups } from "#ingress/annotations/index.ts";
import { later, snippets, traefikGuards, traefikLater } from "#ingress/annotations/refused/names.ts";
import { refused } from "#ingress/annotations/refused/refused.ts";
import { settingsOf } from "#ingress/annotations/settings.ts";
import { acceptedClasses, acceptedControllers } from "#ingress/class.ts";
import { defaultOptions, readOptions } from "#ingress/options.ts";
import { codesOf, readPage, rowsOf, sectionOf } from "./pages.ts";

const page = readPage("docs/reference/annotations.md");
const supported = rowsOf(sectionOf(page, "Supported")).map(([name = "", value = "", standard = "", , bad = ""]) => ({
  key: fullName(codesOf(name)[0] ?? ""),
  value,
  standard: codesOf(standard)[0],
  bad,
}));

function fullName(name: string): string {
  return name.includes("/") ? name : `${nginx}${name}`;
}

const keysIn = (heading: string) => {
  const paragraphs = sectionOf(page, heading).split("\n\n").slice(1);
  return paragraphs.flatMap((text) => codesOf(text.replace(/^An Ingress with .*/s, ""))).map((name) => fullName(name));
};

function ingressWith(annotations: Record<string, string>): Ingress {
  return { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name: "x", annotations }, spec: {} };
}

test("every supported annotation stands in the reference, and no other", () => {
  const known = annotationGroups.filter((group) => group !== refused).flatMap(({ keys }) => keys);
  assert.deepEqual(supported.map(({ key }) => key).sort(), known.toSorted());
});

test("every annotation that is not honoured stands in the reference, and no other", () => {
  const of = (prefix: string, names: readonly string[]) => names.map((name) => `${prefix}${name}`);
  const traefik = "traefik.ingress.kubernetes.io/";
  assert.deepEqual(keysIn("Refused: text for a configuration file"), of(nginx, snippets));
  assert.deepEqual(keysIn("Refused: who may come in"), of(traefik, traefikGuards));
  assert.deepEqual(keysIn("Refused: canaries"), [`${nginx}canary`]);
  assert.deepEqual(keysIn("Known and without effect"), [...of(nginx, later), ...of(traefik, traefikLater)]);
});

const outcomes = { serve: "ignored", drop: "left out", deny: "503" } as const;

for (const { key, bad } of supported) {
  test(`a bad value of ${key} does what the reference says: ${bad}`, () => {
    const { verdict, problems } = settingsOf(ingressWith({ [key]: '{"never": usable}' }), defaultOptions);
    assert.equal(problems.length, 1);
    assert.equal(outcomes[verdict], bad);
  });
}

test("what is refused is refused as the reference says", () => {
  const verdictOf = (key: string) => settingsOf(ingressWith({ [key]: "true" }), defaultOptions).verdict;
  for (const key of keysIn("Refused: text for a configuration file")) assert.equal(verdictOf(key), "drop", key);
  for (const key of keysIn("Refused: who may come in")) assert.equal(verdictOf(key), "deny", key);
  for (const key of keysIn("Refused: canaries")) assert.equal(verdictOf(key), "drop", key);
  for (const key of keysIn("Known and without effect")) assert.equal(verdictOf(key), "serve", key);
});

test("the defaults of the reference are those of the program", () => {
  let compared = 0;
  for (const { key, standard } of supported) {
    const name = key.slice(nginx.length);
    const { options, refused: unread } = readOptions({ [name]: standard ?? "" });
    if (Object.keys(options).length === 0) continue;
    assert.deepEqual(unread, []);
    assert.deepEqual({ ...defaultOptions, ...options }, defaultOptions, key);
    compared += 1;
  }
  assert.equal(compared, 17);
});

test("the words that a value may be are the ones of the reference", () => {
  for (const { key, value } of supported) {
    for (const word of codesOf(value).filter((code) => !code.endsWith(":"))) {
      const { problems } = settingsOf(ingressWith({ [key]: word }), defaultOptions);
      assert.deepEqual(problems, [], `${key}: ${word}`);
    }
  }
});

test("the classes and controllers of the reference are those of the program", () => {
  const words = codesOf(sectionOf(page, "Which Ingresses are served"));
  for (const word of [...acceptedClasses, ...acceptedControllers]) assert.ok(words.includes(word), word);
});
