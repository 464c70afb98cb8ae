import type { ListenAddress } from "../contract.ts";
import type { DnsSettings } from "../settings.ts";
import type { ConfigProblem } from "#api/config/problem.ts";

/** What a configuration file says, whichever its form. What it does not say is left out. */
export interface DnsConfig {
  readonly settings: DnsSettings;
  readonly clusterDomain?: string;
  readonly listen?: readonly ListenAddress[];
  readonly http?: HttpSettings;
  /** In order of lines; with an `error` among them nothing of the file should be used. */
  readonly problems: readonly ConfigProblem[];
}

/** Ports of the HTTP face; what is left out is off. */
export interface HttpSettings {
  readonly health?: ListenAddress;
  readonly ready?: ListenAddress;
  readonly metrics?: ListenAddress;
  /** How long it goes on answering after it has said that it is going, so that nobody asks it any more. */
  readonly lameduckMs?: number;
}

export type { ReadFile } from "#api/config/follow-file.ts";
