import { nearest } from "#api/manifest/nearest.ts";
import type { Directive } from "../corefile-tree.ts";
import type { PluginScope } from "../draft.ts";

/** Hands each line of a plugin's block to the reader of its name; what has none is named and passed over. */
export function eachOption(
  { name, block = [] }: Directive,
  { ignored }: PluginScope,
  options: Readonly<Record<string, (option: Directive) => void>>,
): void {
  for (const option of block) {
    const read = Object.hasOwn(options, option.name) ? options[option.name] : undefined;
    if (read !== undefined) {
      read(option);
      continue;
    }
    const near = nearest(option.name, Object.keys(options));
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    ignored(option.line, `${option.name} of ${name} has no effect here${hint}`);
  }
}
