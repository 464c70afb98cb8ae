import { X509Certificate } from "node:crypto";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { CertificateEntry, TableChange } from "#dataplane/table.ts";
import { certificateId, readOcspResponse, writeOcspRequest, type CertificateId } from "#wire/ocsp.ts";
import type { FetchOcsp } from "./fetch.ts";

type Certificates = TableChange["certificates"];

/** Keeps what responders say of the certificates, so that handshakes carry it (`enable-ocsp`). */
export interface Stapler {
  /** The same certificates with what is known of them; what is not is asked for. */
  dress(certificates: Certificates): Certificates;
  /** Certificates of which something else is known than when they were given out last. */
  take(): Certificates;
  stop(): void;
}

export interface StaplerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch: FetchOcsp;
  /** There is something to take. */
  readonly changed: () => void;
}

const minute = 60_000;
/** A response is asked for anew after half its time; between these, and after the first where it names no end. */
const refresh = { usual: 6 * 60 * minute, least: minute, most: 3 * 24 * 60 * minute };
/** After a failure, longer each time. */
const retry = { first: minute, most: 60 * minute };

/** A certificate that names a responder, and comes with the certificate of its authority. */
interface Followed {
  readonly entry: CertificateEntry;
  readonly url: string;
  readonly id: CertificateId;
  readonly issuer: X509Certificate;
  ocsp?: string | undefined;
  until: number;
  failures: number;
  cancel?: () => void;
}

export function createStapler({ clock, log, fetch, changed }: StaplerOptions): Stapler {
  const followed = new Map<string, Followed>();
  const fresh = new Set<string>();
  let isStopped = false;

  function forget(id: string): void {
    followed.get(id)?.cancel?.();
    followed.delete(id);
    fresh.delete(id);
  }

  async function ask(id: string, one: Followed): Promise<void> {
    let reason: string;
    try {
      const bytes = await fetch(one.url, writeOcspRequest(one.id));
      const outcome = readOcspResponse(bytes, one.id, one.issuer, clock.now());
      if (isStopped || followed.get(id) !== one) return;
      if (outcome.type === "good") {
        const { nextUpdate = clock.now() + refresh.usual } = outcome;
        one.failures = 0;
        one.until = nextUpdate;
        put(id, one, bytes.toString("base64"));
        const half = (nextUpdate - clock.now()) / 2;
        return later(id, one, Math.min(refresh.most, Math.max(refresh.least, half)));
      }
      ({ reason } = outcome);
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    if (isStopped || followed.get(id) !== one) return;
    const ms = Math.min(retry.most, retry.first * 2 ** one.failures);
    one.failures += 1;
    log.warn({ certificate: id, responder: one.url, reason, retryInMs: ms }, "a certificate has no OCSP response");
    if (one.until <= clock.now()) put(id, one, undefined);
    later(id, one, ms);
  }

  function put(id: string, one: Followed, ocsp: string | undefined): void {
    if (one.ocsp === ocsp) return;
    one.ocsp = ocsp;
    fresh.add(id);
    changed();
  }

  function later(id: string, one: Followed, ms: number): void {
    one.cancel = clock.after(ms, () => void ask(id, one));
  }

  function withStaple({ entry, ocsp }: Followed): CertificateEntry {
    return ocsp === undefined ? entry : { ...entry, ocsp };
  }

  return {
    dress(certificates) {
      return certificates.map(([id, entry]) => {
        if (entry === undefined || entry.cert !== followed.get(id)?.entry.cert) forget(id);
        if (entry === undefined) return [id, entry];
        const known = followed.get(id);
        if (known !== undefined) return [id, withStaple({ ...known, entry })];
        const one = responderOf(entry);
        if (one !== undefined) {
          followed.set(id, one);
          void ask(id, one);
        }
        return [id, entry];
      });
    },
    take() {
      const taken = [...fresh].flatMap((id) => {
        const one = followed.get(id);
        return one === undefined ? [] : [[id, withStaple(one)] as const];
      });
      fresh.clear();
      return taken;
    },
    stop() {
      isStopped = true;
      for (const { cancel } of followed.values()) cancel?.();
    },
  };
}

/** Whom to ask, where the certificate says so and that of its authority stands behind it. */
function responderOf(entry: CertificateEntry): Followed | undefined {
  const [own, above] = entry.cert.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (own === undefined || above === undefined) return undefined;
  try {
    const [certificate, issuer] = [new X509Certificate(own), new X509Certificate(above)];
    const url = /^OCSP - URI:(\S+)$/m.exec(certificate.infoAccess ?? "")?.[1];
    const id = certificateId(certificate, issuer);
    if (url === undefined || id === undefined || !certificate.checkIssued(issuer)) return undefined;
    return { entry, url, id, issuer, until: 0, failures: 0 };
  } catch {
    return undefined;
  }
}
