import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root: string = join(import.meta.dirname, "../../..");

export interface Page {
  /** From the repository's root, e.g. `docs/flows/up.md`. */
  readonly path: string;
  readonly text: string;
}

export function readPage(path: string): Page {
  return { path, text: readFileSync(join(root, path), "utf8") };
}

/** Every page of the documentation, in order of name. */
export function readPages(): Page[] {
  return globSync("docs/**/*.md", { cwd: root })
    .sort()
    .map((path) => readPage(path));
}

/** Paragraphs, list items and table rows, each with the lines that belong to it; code blocks are left out. */
export function blocksOf({ text }: Page): string[] {
  const plain = text.replace(/^```[^]*?^```$/gm, "");
  return plain.split(/\n\s*\n|\n(?=\s*(?:[-*|]|\d+\.) ?)/).filter((block) => block.trim() !== "");
}

/** The part of a page below one heading, up to the next of its level or above. */
export function sectionOf({ path, text }: Page, heading: string): string {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading);
  if (start === -1) throw new Error(`${path} has no section ${heading}`);
  const level = /^#+/.exec(lines[start] ?? "")?.[0].length ?? 1;
  const end = lines.findIndex((line, at) => at > start && new RegExp(`^#{1,${level}} `).test(line));
  return lines.slice(start + 1, end === -1 ? undefined : end).join("\n");
}

/** The rows of every table in a text, cells trimmed; heads and rulers are left out. */
export function rowsOf(text: string): string[][] {
  const lines = text.split("\n");
  return lines.flatMap((line, at) => {
    if (!line.startsWith("|") || /^[|\s-]+$/.test(line) || lines[at + 1]?.startsWith("| ---")) return [];
    return [
      line
        .replace(/^\||\|$/g, "")
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    ];
  });
}

/** What stands in backquotes, in order. */
export function codesOf(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
}
