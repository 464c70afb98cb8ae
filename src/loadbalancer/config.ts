import { isMap, LineCounter, parseDocument } from "yaml";
import type { ConfigProblem } from "#api/config/problem.ts";
import { boolean, integer, list, mapping, oneOf, rootPlace, text, type Reader } from "#api/config/yaml-shape.ts";
import type { LabelSelector, LabelSelectorRequirement } from "#api/meta/selector.ts";
import { flagPoolName, parseRange, rangesOverlap, type AddressPool, type PoolAllocation } from "./pool.ts";

/** Where the pools are configured. */
export const configMapKey = { namespace: "kube-system", name: "load-balancer" } as const;
export const configKey = "config.yaml";

export interface ReadPools {
  readonly pools: readonly AddressPool[];
  /** With one of them nothing of the text should be used. */
  readonly problems: readonly ConfigProblem[];
}

/** A configuration is a page; the reader of YAML takes its time for what is nested without end. */
const longestText = 1 << 16;

interface PoolText {
  name: string;
  addresses: ReturnType<typeof parseRange>[];
  autoAssign?: boolean;
  avoidBuggyIPs?: boolean;
  serviceAllocation?: PoolAllocation;
}

const anyText = text((value) => value, "a text");
const name = text(
  (value) => (/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(value) ? value : undefined),
  "a name of small letters, digits, - and .",
);
const range = text(parseRange, "a range such as 10.0.0.0/24 or 10.0.0.10-10.0.0.20");

const labels: Reader<Record<string, string>> = (place) => {
  if (!isMap(place.node)) {
    place.tell(place.offset, `${place.path} must be a mapping of labels`);
    return undefined;
  }
  const found = place.node.toJSON() as Record<string, unknown>;
  const wrong = Object.keys(found).find((key) => typeof found[key] !== "string");
  if (wrong === undefined) return found as Record<string, string>;
  place.tell(place.offset, `${place.path}.${wrong} must be a text`);
  return undefined;
};
const requirement = mapping<LabelSelectorRequirement>(
  { key: anyText, operator: oneOf("In", "NotIn", "Exists", "DoesNotExist"), values: list(anyText) },
  ["key", "operator"],
);
const selector = mapping<LabelSelector>({ matchLabels: labels, matchExpressions: list(requirement) });

const pool = mapping<PoolText>(
  {
    name,
    addresses: list(range),
    autoAssign: boolean,
    avoidBuggyIPs: boolean,
    serviceAllocation: mapping<PoolAllocation>({
      priority: integer(0, 1_000_000),
      namespaces: list(anyText),
      namespaceSelectors: list(selector),
      serviceSelectors: list(selector),
    }),
  },
  ["name", "addresses"],
);
const root = mapping<{ pools: PoolText[] }>({ pools: list(pool) });

/**
 * Reads pools in YAML or JSON: `pools`, each with the fields of MetalLB's IPAddressPool. `before` are pools that are
 * there anyway; no name and no address may be in two. All problems are told at once, each with its line and path. Pure.
 */
export function readPools(source: string, before: readonly AddressPool[]): ReadPools {
  const problems: ConfigProblem[] = [];
  const lines = new LineCounter();
  const at = (offset: number, text: string) =>
    problems.push({ file: configKey, line: Math.max(1, lines.linePos(offset).line), text, severity: "error" });
  if (source.length > longestText) {
    at(0, `the text is longer than ${longestText} characters`);
    return { pools: [], problems };
  }
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, logLevel: "silent" });
  for (const error of document.errors) at(error.pos[0], error.message);
  if (problems.length > 0 || document.contents === null) return { pools: [], problems };
  const read = root(rootPlace(document.contents, lines, configKey, problems));
  const pools = (read?.pools ?? []).map(({ name, addresses, ...rest }): AddressPool => {
    const { autoAssign = true, avoidBuggyIPs = false, serviceAllocation } = rest;
    const ranges = addresses.flatMap((range) => range ?? []);
    return {
      name,
      ranges,
      autoAssign,
      avoidBuggyIPs,
      ...(serviceAllocation === undefined ? {} : { allocation: serviceAllocation }),
    };
  });
  for (const problem of clashes([...before, ...pools])) at(0, problem);
  problems.sort((a, b) => a.line - b.line);
  return { pools, problems };
}

function clashes(pools: readonly AddressPool[]): string[] {
  const problems: string[] = [];
  for (const [index, pool] of pools.entries()) {
    for (const other of pools.slice(0, index)) {
      const who = other.name === flagPoolName ? `${other.name} (--load-balancer-cidr)` : other.name;
      if (other.name === pool.name) problems.push(`there are two pools with the name ${who}`);
      for (const range of pool.ranges) {
        const same = other.ranges.find((each) => rangesOverlap(each, range));
        if (same !== undefined)
          problems.push(`${range.text} of pool ${pool.name} overlaps ${same.text} of pool ${who}`);
      }
    }
  }
  return problems;
}
