import { parseSpan } from "#base/span.ts";
import { parseNameservers } from "../../forward/upstreams.ts";
import type { ForwardRule } from "../../settings.ts";
import { parseDomain, parseUpstream } from "../addresses.ts";
import type { Directive } from "../corefile-tree.ts";
import { parseCount, type PluginScope } from "../draft.ts";
import { readOrTell } from "../read-file.ts";
import { eachOption } from "./options.ts";

type Open<T> = { -readonly [K in keyof T]: T[K] };
type Upstream = ForwardRule["upstreams"][number];

/** `forward ZONE TO... { ... }`, where TO is an address, or a file whose `nameserver` lines are meant. */
export function readForward(directive: Directive, scope: PluginScope): void {
  const { draft, error, zones } = scope;
  const [from, ...to] = directive.args;
  const zone = parseDomain(from ?? "");
  if (zone === undefined || to.length === 0)
    return error(directive.line, "forward needs a zone and where to ask, e.g. forward . 192.0.2.1");
  // In the block of zones, `.` means what is left of them.
  const forwarded = zone !== "." || zones.includes(".") ? [zone] : zones;
  const rule: Open<Omit<ForwardRule, "zone">> = {
    upstreams: to.flatMap((text) => upstreamsOf(text, directive.line, scope)),
  };
  eachOption(directive, scope, {
    policy({ args, line }) {
      const [policy] = args;
      if (policy === "random" || policy === "round_robin" || policy === "sequential") rule.policy = policy;
      else error(line, `policy must be random, round_robin or sequential, not ${policy ?? "nothing"}`);
    },
    except({ args, line }) {
      const names = args.map(parseDomain);
      if (names.includes(undefined)) error(line, `except: ${args.join(" ")} are not all domain names`);
      rule.except = [...(rule.except ?? []), ...names.filter((name) => name !== undefined)];
    },
    max_concurrent({ args, line }) {
      const most = parseCount(args[0], 0, 1_000_000);
      if (most === undefined) error(line, "max_concurrent needs a whole number");
      // 0 stands for no limit of one's own.
      else if (most > 0) rule.maxConcurrent = Math.min(most, 100_000);
    },
    max_fails({ args, line }) {
      const fails = parseCount(args[0], 0, 1_000);
      if (fails === undefined) error(line, "max_fails needs a whole number");
      else rule.maxFails = fails;
    },
    health_check({ args, line }) {
      const span = parseSpan(args[0] ?? "");
      if (span === undefined || span < 50) return error(line, "health_check needs a span of 50 ms or more, e.g. 500ms");
      rule.healthCheckMs = span;
      if (args.length > 1) scope.ignored(line, `${args.slice(1).join(" ")} of health_check has no effect here`);
    },
  });
  if (rule.upstreams.length === 0) return;
  draft.forward.push(...forwarded.map((zone) => ({ zone, ...rule })));
}

function upstreamsOf(to: string, line: number, { readFile, error, ignored }: PluginScope): Upstream[] {
  if (/^(tls|https|grpc|quic):\/\//.test(to)) {
    ignored(line, `forward to ${to}: upstreams are asked over UDP and TCP only`);
    return [];
  }
  const text = to.replace(/^dns:\/\//, "");
  const at = parseUpstream(text);
  if (at !== undefined) return [at];
  if (!text.startsWith("/")) {
    error(line, `forward: ${to} is neither an address nor the path of a resolv.conf`);
    return [];
  }
  const content = readOrTell(readFile, text, (why) => error(line, `forward: ${why}`));
  const found = content === undefined ? [] : parseNameservers(content);
  if (content !== undefined && found.length === 0) error(line, `forward: ${text} names no name server`);
  return found;
}
