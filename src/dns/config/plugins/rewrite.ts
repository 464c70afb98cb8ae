import { rewriteProblem } from "../../rewrite/rules.ts";
import type { RewriteRule } from "../../settings.ts";
import type { Directive } from "../corefile-tree.ts";
import type { PluginScope } from "../draft.ts";

const matches: readonly RewriteRule["match"][] = ["exact", "prefix", "suffix", "substring", "regex"];

/**
 * `rewrite [stop] name [exact|prefix|suffix|substring|regex] FROM TO [answer auto]`, or the same in a block. Other fields
 * than the name, and rules that go on after they fit, are named and passed over.
 */
export function readRewrite(directive: Directive, scope: PluginScope): void {
  const { ignored } = scope;
  const [first = "", ...rest] = directive.args;
  const hasMode = first === "stop" || first === "continue";
  const words = hasMode ? rest : directive.args;
  if (first === "continue") return ignored(directive.line, "rewrite continue: the first rule that fits is the last");
  const block = directive.block ?? [];
  const rules = words.length > 0 ? [{ name: words[0] ?? "", args: words.slice(1), line: directive.line }] : [];
  const answers = block.filter(({ name }) => name === "answer");
  for (const rule of [...rules, ...block.filter(({ name }) => name !== "answer")]) {
    if (rule.name === "name") readName(rule, answers, scope);
    else ignored(rule.line, `rewrite ${rule.name}: only names are rewritten`);
  }
}

function readName(
  { args, line }: Directive,
  answers: readonly Directive[],
  { draft, error, ignored }: PluginScope,
): void {
  const match = matches.find((word) => word === args[0]);
  const [from, to, ...options] = match === undefined ? args : args.slice(1);
  if (from === undefined || to === undefined) return error(line, "rewrite name needs FROM and TO");
  const rule = { match: match ?? "exact", from: plain(from, match), to: plain(to, match) };
  const why = rewriteProblem(rule);
  if (why !== undefined) return error(line, `rewrite name ${args.join(" ")}: ${why}`);
  const [word, mode] = options;
  const isAuto = word === "answer" && mode === "auto";
  if (word !== undefined && !isAuto && word !== "answer")
    ignored(line, `${options.join(" ")} of rewrite has no effect here`);
  const rules = [
    ...(word === "answer" && !isAuto ? [line] : []),
    ...answers.filter(({ args }) => args[0] !== "auto").map(({ line }) => line),
  ];
  // Such rules nearly always compute the name that was asked.
  for (const at of rules) ignored(at, "rules for answers: they carry the name that was asked instead");
  const answerAsked = rule.match === "exact" || word === "answer" || answers.length > 0;
  draft.rewrite.push({ ...rule, answerAsked });
}

/** Names without their final dot, as everywhere else; patterns as they are. */
function plain(text: string, match: RewriteRule["match"] | undefined): string {
  return match === "regex" ? text : text.length > 1 ? text.replace(/\.$/, "") : text;
}
