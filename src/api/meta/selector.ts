/** Label selectors: the structured form (`metav1.LabelSelector`) and the text form of `?labelSelector=`. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: LabelSelectorRequirement[];
}

export interface LabelSelectorRequirement {
  key: string;
  operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  values?: string[];
}

export type Labels = Readonly<Record<string, string>> | undefined;

/** Whether every pair of `selector` stands in `labels`; an empty selector matches everything. */
export function matchesPairs(selector: Readonly<Record<string, string>>, labels: Labels): boolean {
  for (const key in selector) if (labels?.[key] !== selector[key]) return false;
  return true;
}

/** Whether `labels` satisfy a structured selector; an empty selector matches everything, a missing one nothing. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  if (selector.matchLabels !== undefined && !matchesPairs(selector.matchLabels, labels)) return false;
  return (selector.matchExpressions ?? []).every((requirement) => matchesRequirement(requirement, labels));
}

function matchesRequirement({ key, operator, values }: LabelSelectorRequirement, labels: Labels): boolean {
  return meets(operator, values, labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined);
}

/** `value`: what stands under the requirement's key. */
export function meets(
  operator: LabelSelectorRequirement["operator"],
  values: readonly string[] = [],
  value: string | undefined,
): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

/** A text that is no selector; `message` is upstream's. */
export class SelectorSyntaxError extends Error {
  override readonly name = "SelectorSyntaxError";
}

/** Whether an object's labels satisfy a selector. */
export type LabelMatcher = (labels: Labels) => boolean;

const termPattern =
  /^\s*(?:(!)\s*([^\s!=<>(),]+)|([^\s!=<>(),]+)\s*(?:(==|=|!=|>|<)\s*([^\s!=<>(),]*)|\s(in|notin)\s*\(([^()]*)\))?)\s*$/;

/**
 * The text form: `a=b, a==b, a!=b, a in (x,y), a notin (x), a, !a, a>1, a<5`, joined by commas; empty matches all.
 * Throws `SelectorSyntaxError`.
 */
export function parseLabelSelector(text: string): LabelMatcher {
  const matchers = splitTerms(text).map((term) => parseTerm(term));
  return (labels) => matchers.every((matches) => matches(labels));
}

function splitTerms(text: string): string[] {
  const terms = text.split(/,(?![^()]*\))/);
  return terms.filter((term, index) => term.trim() !== "" || (index < terms.length - 1 && terms.length > 1));
}

function parseTerm(term: string): LabelMatcher {
  const match = termPattern.exec(term);
  if (match === null) throw new SelectorSyntaxError(`unable to parse requirement: ${JSON.stringify(term.trim())}`);
  const [, not, absentKey, key = "", sign, operand = "", set, members = ""] = match;
  const value = (labels: Labels) => (labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined);
  if (not !== undefined) return (labels) => labels === undefined || !Object.hasOwn(labels, absentKey ?? "");
  if (set !== undefined) {
    const choices = new Set(members.split(",").map((member) => member.trim()));
    if (set === "in") return (labels) => choices.has(value(labels) ?? "\0");
    return (labels) => !choices.has(value(labels) ?? "\0");
  }
  switch (sign) {
    case undefined:
      return (labels) => value(labels) !== undefined;
    case "!=":
      return (labels) => value(labels) !== operand;
    case ">":
      return (labels) => Number(value(labels)) > Number(operand);
    case "<":
      return (labels) => Number(value(labels)) < Number(operand);
    default:
      return (labels) => value(labels) === operand;
  }
}

/** One term of `?fieldSelector=`. */
export interface FieldTerm {
  readonly path: string;
  readonly equals: boolean;
  readonly value: string;
}

/** `a=b,c!=d`; throws `SelectorSyntaxError`. Which paths a kind knows is the caller's to check. */
export function parseFieldSelector(text: string): FieldTerm[] {
  return text
    .split(",")
    .filter((term) => term !== "")
    .map((term) => {
      const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(term);
      if (match === null) {
        throw new SelectorSyntaxError(`invalid selector: '${text}'; can't understand '${term}'`);
      }
      return { path: (match[1] ?? "").trim(), equals: match[2] !== "!=", value: match[3] ?? "" };
    });
}
