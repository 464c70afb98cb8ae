import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { blocksOf, readPage, readPages, root } from "./pages.ts";

const pages = readPages();
/** What stands outside docs/ and leads into it. */
const fronts = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md"].map((path) => readPage(path));
const pathPattern = /(?<![\w/.~-])(?:src|test|examples|scripts|bin|bench|docs)\/[\w./-]*\w/g;

function pathsOf(text: string): string[] {
  return [...text.matchAll(pathPattern)].map(([path]) => path);
}

/** Whether the file defines a function or method of this name, and does not only call it. */
function defines(path: string, name: string): boolean {
  if (!existsSync(join(root, path)) || !statSync(join(root, path)).isFile()) return false;
  const source = readFileSync(join(root, path), "utf8");
  const forms = [
    String.raw`function\*? ${name}\b`,
    String.raw`^ +(?:private |readonly |async |static )*${name}(?:<[^>]*>)?\([^;]*\{$`,
    String.raw`^ +${name}(?:<[^>]*>)?\([^;]*;$`,
    String.raw`^ +${name}: (?:async )?\(`,
    String.raw`const ${name} = (?:async )?\(`,
    String.raw`^ +${name}\($`,
  ];
  return forms.some((form) => new RegExp(form, "m").test(source));
}

test("every path that the documentation names exists", () => {
  const named = [...pages, ...fronts].flatMap(({ path, text }) => pathsOf(text).map((name) => ({ path, name })));
  assert.ok(named.length > 50);
  assert.deepEqual(
    named.filter(({ name }) => !existsSync(join(root, name))).map(({ path, name }) => `${path}: ${name}`),
    [],
  );
});

test("every function that the documentation names is defined in a file that the same sentence names", () => {
  const wrong: string[] = [];
  let count = 0;
  for (const page of pages) {
    for (const block of blocksOf(page)) {
      const files = pathsOf(block);
      for (const [, name = ""] of block.matchAll(/`(\w+)\(\)`/g)) {
        count += 1;
        if (!files.some((file) => defines(file, name))) wrong.push(`${page.path}: ${name}() near ${files.join(", ")}`);
      }
    }
  }
  assert.ok(count > 30);
  assert.deepEqual(wrong, []);
});

test("every link leads to a page, and to a heading of it", () => {
  const broken: string[] = [];
  for (const { path, text } of [...pages, ...fronts]) {
    for (const [, target = ""] of text.matchAll(/\]\(([^)]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = "", heading] = target.split("#");
      const place = file === "" ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(root, place))) broken.push(`${path}: ${target}`);
      else if (heading !== undefined && !headingsOf(place).includes(heading)) broken.push(`${path}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
});

test("every page is reached from the index of its folder, and every folder from the index of all", () => {
  const known = new Set(pages.map(({ path }) => path));
  const unreached = [...known].filter((path) => {
    if (path === "docs/README.md") return false;
    const isIndex = path.endsWith("/README.md");
    const index = isIndex ? "docs/README.md" : join(dirname(path), "README.md");
    const text = pages.find((page) => page.path === index)?.text ?? "";
    const name = isIndex ? path.slice("docs/".length) : path.slice(dirname(path).length + 1);
    return !text.includes(`](${name})`);
  });
  assert.deepEqual(unreached, []);
});

/** Headings as links name them. */
function headingsOf(path: string): string[] {
  const { text = "" } = pages.find((page) => page.path === path) ?? {};
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
