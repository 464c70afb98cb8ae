import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { annotationGroups } from "#ingress/annotations/index.ts";
import { nginx, traefik } from "#ingress/annotations/group.ts";

const keys = annotationGroups.flatMap((group) => group.keys.map((key) => ({ key, group: group.name })));

test("every annotation belongs to one group", () => {
  const owners = new Map<string, string>();
  for (const { key, group } of keys) {
    assert.equal(owners.get(key), undefined, `${key} is in ${group} and in ${owners.get(key)}`);
    owners.set(key, group);
  }
});

test("every annotation carries the prefix of the controller it comes from", () => {
  for (const { key } of keys) assert.ok(key.startsWith(nginx) || key.startsWith(traefik), key);
});

test("every group of a folder is in the list", () => {
  const folders = globSync("src/ingress/annotations/*/").sort();
  assert.notEqual(folders.length, 0);
  const owned = (folder: string) =>
    annotationGroups.some(({ name }) => folder.endsWith(`/${name}/`) || folder.endsWith(`/${name}`));
  const files = folders.flatMap((folder) => globSync(`${folder}/*.ts`)).map((file) => readFileSync(file, "utf8"));
  const groups = files.filter((text) => /^export const \w+: AnnotationGroup = /m.test(text));
  assert.equal(groups.length, annotationGroups.length);
  for (const folder of folders) assert.ok(owned(folder), folder);
});
