import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A case of a case file: `## name`, then sections that each begin with `@@ title`. */
export interface Case {
  readonly name: string;
  readonly sections: Readonly<Record<string, string>>;
}

/** All cases of the `.txt` files of a folder beside this file, in file order. */
export function readCases(folder: string): Case[] {
  const root = join(import.meta.dirname, folder);
  const files = readdirSync(root).filter((name) => name.endsWith(".txt"));
  return files.sort().flatMap((file) => {
    const blocks = readFileSync(join(root, file), "utf8").split(/^## /m).slice(1);
    return blocks.map((block) => readCase(file.replace(".txt", ""), block));
  });
}

function readCase(file: string, block: string): Case {
  const [name = "", ...parts] = block.split(/^@@ /m);
  const sections = parts.map((part) => {
    const end = part.indexOf("\n");
    return [part.slice(0, end).trim(), part.slice(end + 1).trimEnd()];
  });
  return { name: `${file}: ${name.trim()}`, sections: Object.fromEntries(sections) as Record<string, string> };
}
