import assert from "node:assert/strict";
import { test } from "node:test";
import { readProxyConfig } from "#proxy/config/read.ts";
import { settingsOf, standardFaces } from "#proxy/config/settings.ts";
import { codesOf, readPage, rowsOf, sectionOf } from "./pages.ts";

const page = readPage("docs/reference/proxy.md");
const fields = sectionOf(page, "Fields");
const head = { apiVersion: "kubeproxy.config.k8s.io/v1alpha1", kind: "KubeProxyConfiguration" };

/** What is said about a configuration that gives this field this value. */
function said(path: string, value: unknown): string[] {
  const [section = "", field] = path.split(".");
  const config = { ...head, [section]: field === undefined ? value : { [field]: value } };
  return readProxyConfig(JSON.stringify(config), "c").problems.map(({ text }) => text);
}

test("every field with an effect stands in the table, and the list names those without, and no others", () => {
  const withEffect = rowsOf(fields).map(([field = ""]) => codesOf(field)[0] ?? "");
  for (const path of withEffect)
    assert.deepEqual(
      said(path, ""),
      said(path, "").filter((text) => !/not a key|no effect/.test(text)),
    );
  const list = codesOf(/have no effect: ([^]*?)\. Unlike/.exec(page.text)?.[1] ?? "");
  assert.ok(list.length > 15);
  const values = [1, true, "1", "1s", "rr", ["10.0.0.0/8"], { a: 1 }, "127.0.0.1"];
  for (const path of list) {
    const told = values.flatMap((value) => said(path, value));
    assert.ok(
      told.some((text) => text.startsWith(path) && text.endsWith("has no effect here")),
      path,
    );
  }
  // The suggestion for a misspelt key comes from all keys there are: none may be missing on the page.
  const known = new Set([...withEffect, ...list].map((path) => path.split(".")[0]));
  for (const word of [
    "bindAddres",
    "conntrac",
    "featureGate",
    "loggin",
    "nodePortAddresse",
    "oomScoreAd",
    "winkerne",
    "mod",
  ]) {
    const [, near = ""] = /did you mean (\w+)\?/.exec(said(word, 1).join()) ?? [];
    assert.ok(known.has(near), `${word}: ${near}`);
  }
});

test("the defaults of the page are those of the program", () => {
  const defaults = new Map(
    rowsOf(fields).map(([field = "", standard = ""]) => [codesOf(field)[0], codesOf(standard)[0]]),
  );
  for (const part of ["healthz", "metrics"] as const) {
    const { address, port } = standardFaces[part];
    assert.equal(defaults.get(`${part}BindAddress`), `${address}:${port}`);
  }
  assert.equal(defaults.get("nftables.syncPeriod"), `${settingsOf({}, "auto").syncMs / 1000}s`);
});
