import assert from "node:assert/strict";
import { basename } from "node:path";
import { test } from "node:test";
import { uplinkDevice, netnsPrefix } from "#node/network/plan.ts";
import { bundleOf, layoutOf } from "#node/runtime/process/layout.ts";
import { tableName } from "#proxy/modes/nftables/names.ts";
import { dataPaths } from "#roles/state.ts";
import { codesOf, readPage, rowsOf, sectionOf } from "./pages.ts";

const page = readPage("docs/reference/files.md");
const namesIn = (text: string) => rowsOf(text).map(([path = ""]) => codesOf(path)[0]);
const layout = layoutOf("ID", "/data/nodes");

test("the files of the data folder are those of the reference", () => {
  const { root: _, ...paths } = dataPaths("/data");
  const top = page.text.slice(0, page.text.indexOf("## Pods"));
  assert.deepEqual(
    namesIn(top).sort(),
    Object.values(paths)
      .map((path) => basename(path))
      .sort(),
  );
});

test("the files of pods are those of the reference", () => {
  const { sandboxes, containers, exits, pods, programs } = layout;
  const { folder: _, ...files } = bundleOf(layout, "x");
  const documented = namesIn(sectionOf(page, "Pods"));
  const known = [sandboxes, containers, exits, pods, programs, ...Object.values(files)];
  assert.deepEqual(documented.sort(), known.map((path) => basename(path)).sort());
});

test("what lies outside the data folder is called as in the reference", () => {
  const documented = namesIn(sectionOf(page, "Outside the data folder"));
  assert.ok(layout.runcRoot.startsWith(`${documented[1]}/`));
  assert.ok(layout.sockets.startsWith(`${documented[1]}/`));
  assert.deepEqual(documented, [
    `/run/netns/${netnsPrefix("ID")}…`,
    "/run/fairlead-ID",
    `/sys/fs/cgroup/…${layout.cgroup}`,
    uplinkDevice("ID"),
  ]);
  assert.ok(page.text.includes(`\`ip ${tableName}\``));
});
