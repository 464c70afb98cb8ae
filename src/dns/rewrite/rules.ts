import { compilePattern, type Pattern } from "#dataplane/pattern.ts";
import { canBacktrackForever } from "#routing/l7/regex-risk.ts";
import { lowerName, nameFromText, nameToText, type WireName } from "#wire/dns/name.ts";
import type { RewriteRule } from "../settings.ts";

/** What becomes of an asked name. */
export type Rewritten =
  | { readonly name: WireName; readonly answerAsked: boolean }
  /** No rule fits. */
  | undefined
  /** It would cost too much to find out, or the new name is none: the question fails. */
  | "failed";

export type Rewriter = (name: WireName) => Rewritten;

/** The new text; `undefined` when the rule does not fit, false when it would cost too much to find out. */
type Change = (text: string) => string | undefined | false;

/** A rule whose expression was given up once for its cost rests for this long: a client cannot hold up the others. */
const restMs = 1_000;
const sourceLimit = 500;

/**
 * The first rule that fits changes the name (CoreDNS's plugin `rewrite`, `name` rules). Expressions are compared with
 * names of at most 253 characters, and under a guard of a few milliseconds where they could take long.
 */
export function createRewriter(rules: readonly RewriteRule[] = [], now: () => number): Rewriter | undefined {
  if (rules.length === 0) return undefined;
  const changes = rules.map((rule) => ({ change: changeOf(rule), answerAsked: rule.answerAsked ?? true, rest: 0 }));
  return (name) => {
    const text = nameToText(name);
    for (const rule of changes) {
      if (rule.rest > now()) return "failed";
      const changed = rule.change(text);
      if (changed === undefined) continue;
      if (changed === false) {
        rule.rest = now() + restMs;
        return "failed";
      }
      const next = nameFromText(withoutDot(changed));
      // No rule means the root: something of the name got lost.
      return !next ? "failed" : { name: lowerName(next), answerAsked: rule.answerAsked };
    }
    return undefined;
  };
}

/** Why a rule cannot be used, or `undefined`. */
export function rewriteProblem({ match, from, to }: RewriteRule): string | undefined {
  if (from === "") return "there is nothing to look for";
  if (match !== "regex") return match === "exact" && nameFromText(to) === undefined ? `${to} is not a name` : undefined;
  if (from.length > sourceLimit) return `the expression is longer than ${sourceLimit} characters`;
  if (compile(from) === undefined) return "the expression is not one";
  if (canBacktrackForever(from))
    return "comparing the expression with some names takes endless time; let each repetition end at a character that it cannot take itself";
  return undefined;
}

function changeOf({ match, from, to }: RewriteRule): Change {
  const find = from.toLowerCase();
  const name = withoutDot(find);
  switch (match) {
    case "exact":
      return (text) => (text === name ? to : undefined);
    case "prefix":
      return (text) => (text.startsWith(find) ? to + text.slice(find.length) : undefined);
    case "suffix":
      return (text) => (text.endsWith(name) ? text.slice(0, text.length - name.length) + to : undefined);
    case "substring":
      return (text) => (text.includes(find) ? text.replaceAll(find, () => to) : undefined);
    case "regex":
      return regexChange(compile(from), to);
  }
}

/** Names are compared without their final dot. */
function withoutDot(text: string): string {
  return text.endsWith(".") ? text.slice(0, -1) : text;
}

/** Found anywhere in the name, as CoreDNS does; written with and without the final dot. */
function compile(source: string): Pattern | undefined {
  return compilePattern(/^\^|^\(?\.\*/.test(source) ? source : `.*?(?:${source})`);
}

function regexChange(pattern: Pattern | undefined, to: string): Change {
  return (text) => {
    for (const spelled of [text, `${text}.`]) {
      const found = pattern?.exec(spelled);
      if (found === "undecided") return false;
      if (found !== undefined) return to.replace(/\{(\d{1,2})\}/g, (_, group: string) => found[Number(group)] ?? "");
    }
    return undefined;
  };
}
