import type { Source } from "#routing/because.ts";
import { sourceText, type LiveRule } from "#insight/rules/live.ts";
import { explainRules, type RulesOptions } from "#roles/rules.ts";

/** Prints the rules, each with the objects it comes from. The exit code: 1 when a manifest could not be read. */
export async function runRules(options: RulesOptions, json: boolean): Promise<number> {
  const { node, rules, notes, unreadable } = await explainRules(options, process.env);
  const out = (text: string) => process.stdout.write(`${text}\n`);
  const tell = (text: string) => process.stderr.write(`${text}\n`);
  for (const text of unreadable) tell(text);
  for (const text of notes) tell(`assumed: ${text}`);
  const problems = new Set(rules.flatMap((each) => each.problems.map(({ message }) => message)));
  for (const text of problems) tell(`problem: ${text}`);
  for (const { mode, family, rules: lines } of rules) {
    if (!json) out(`## ${mode} on ${node}${family === 6 ? ", IPv6" : ""}`);
    for (const { text: rule, because, ...live } of lines) {
      if (json) out(JSON.stringify({ mode, family, node, rule, because, ...live }));
      else out(`${countText(live)}${rule}  # ${whence(because, live)}`);
    }
  }
  return unreadable.length > 0 ? 1 : 0;
}

type Live = Partial<Pick<LiveRule, "count" | "isUnknown">>;

function countText({ count }: Live): string {
  return count === undefined ? "" : `[${count}] `;
}

function whence(because: readonly Source[], { isUnknown }: Live): string {
  if (isUnknown === true) return "not made for the Services there are";
  return because.length === 0 ? "for all Services" : because.map(sourceText).join(", ");
}
