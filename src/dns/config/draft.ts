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

export function parseCount(text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= least && value <= most ? value : undefined;
}
