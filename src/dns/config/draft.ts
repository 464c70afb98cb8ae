import type { CacheSettings, DnsLimits, DnsSettings, ForwardRule, HostsSettings, RewriteRule } from "../settings.ts";
import type { HttpSettings, ReadFile } from "./contract.ts";

type Open<T> = { -readonly [K in keyof T]: T[K] };

/** What the plugins of a Corefile have said so far. */
export interface Draft {
  readonly settings: Open<Omit<DnsSettings, "forward" | "cache" | "limits" | "rewrite" | "hosts">>;
  readonly forward: ForwardRule[];
  readonly rewrite: RewriteRule[];
  readonly http: Open<HttpSettings>;
  readonly limits: Open<DnsLimits>;
  cache?: CacheSettings;
  hosts?: HostsSettings;
  clusterDomain?: string;
  /** Addresses of `bind`. */
  readonly bind: string[];
}

/** What a plugin's reader is given. */
export interface PluginScope {
  readonly draft: Draft;
  /** Zones of the server block, without final dots; `.` for all names. */
  readonly zones: readonly string[];
  readonly readFile: ReadFile;
  /** The file cannot be used like this. */
  readonly error: (line: number, text: string) => void;
  /** This has no effect here. */
  readonly ignored: (line: number, text: string) => void;
}

export function createDraft(): Draft {
  return { settings: {}, forward: [], rewrite: [], http: {}, limits: {}, bind: [] };
}

/** A span of time as Go writes it (`30s`, `1m30s`, `500ms`, and a bare `30` for seconds), in milliseconds. */
export function parseSpan(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  if (!/^(\d{1,9}(\.\d{1,9})?(ms|s|m|h))+$/.test(text)) return undefined;
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  let sum = 0;
  for (const [, digits, unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    sum += Number(digits) * (units[unit] ?? 0);
  return Math.round(sum);
}

export function parseCount(text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= least && value <= most ? value : undefined;
}
