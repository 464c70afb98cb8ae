import type { Server } from "node:tls";
import type { Log } from "#base/log.ts";
import type { LiveTable } from "../live-table.ts";
import { findHost, type CompiledHost } from "../route.ts";
import type { NameRule, TlsTerminator } from "./entry.ts";

/**
 * The TLS servers of hosts that have rules of their own: which certificates clients show, or which ciphers are spoken. A
 * certificate can be chosen in the midst of a handshake, these cannot. Each is made when the first client of its host
 * comes.
 */
export class HostServers {
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

  /** The rule by which connections go to these servers. */
  ruleFor(terminator: () => TlsTerminator): NameRule {
    return (serverName) => {
      const host = findHost(this.table.hosts, serverName);
      if (host === undefined || (host.entry.clientAuth === undefined && host.entry.ciphers === undefined)) {
        return undefined;
      }
      if (!this.servers.has(host)) this.servers.set(host, this.serverOf(host, terminator()));
      const server = this.servers.get(host);
      // Without one, nobody is asked for a certificate, and so nobody who needs one is let in.
      return server === undefined ? undefined : { type: "serve", server };
    };
  }

  private serverOf({ entry }: CompiledHost, terminator: TlsTerminator): Server | undefined {
    const { certificates, defaultCertificate } = this.table;
    const { certificate = "", name, ciphers, clientAuth } = entry;
    const own = certificates.entry(certificate) ?? certificates.entry(defaultCertificate ?? "");
    if (own === undefined) return undefined;
    try {
      return terminator.serverFor(own, { ciphers, clientAuth });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      this.log.error({ host: name, code }, "the TLS rules of a host cannot be used");
      return undefined;
    }
  }
}
