import type { Server } from "node:tls";
import type { Log } from "#base/log.ts";
import type { LiveTable } from "../live-table.ts";
import { findHost, type CompiledHost } from "../route.ts";
import type { ClientAuth } from "../table.ts";
import type { NameRule, TlsTerminator } from "./entry.ts";

/** The servers of the hosts whose clients show certificates; each is made when the first client of its host comes. */
export class AskingServers {
  private readonly table: LiveTable;
  private readonly log: Log;
  private readonly servers = new Map<CompiledHost, Server | undefined>();

  constructor(table: LiveTable, log: Log) {
    this.table = table;
    this.log = log;
  }

  /** Hosts or certificates have changed: the next client of each host gets what holds then. */
  forget(): void {
    this.servers.clear();
  }

  /** The rule by which `terminator` asks for certificates. */
  ruleFor(terminator: () => TlsTerminator): NameRule {
    return (serverName) => {
      const host = findHost(this.table.hosts, serverName);
      const rules = host?.entry.clientAuth;
      if (host === undefined || rules === undefined) return undefined;
      if (!this.servers.has(host)) this.servers.set(host, this.serverOf(host, rules, terminator()));
      const server = this.servers.get(host);
      // Without one, nobody is asked, and so nobody is let in.
      return server === undefined ? undefined : { type: "ask", server };
    };
  }

  private serverOf(host: CompiledHost, rules: ClientAuth, terminator: TlsTerminator): Server | undefined {
    const { certificates, defaultCertificate } = this.table;
    const { certificate = "", name } = host.entry;
    const own = certificates.entry(certificate) ?? certificates.entry(defaultCertificate ?? "");
    if (own === undefined) return undefined;
    try {
      return terminator.askingServer(own, rules);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      this.log.error({ host: name, code }, "the authorities of a host's clients cannot be used; nobody is let in");
      return undefined;
    }
  }
}
