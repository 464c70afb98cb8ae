import { systemClock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { parseKey } from "#api/meta/object.ts";
import type { Client } from "#client/contract.ts";
import { startInformer } from "#client/informer.ts";
import type { TableChange } from "#dataplane/table.ts";
import { compileCertificate } from "#routing/l7/certificate.ts";

export interface CertificateParts {
  readonly client: Client;
  readonly dataplane: { apply(change: TableChange): Promise<void> };
  /** What the table calls the default certificate. */
  readonly id: string;
  readonly log: Log;
}

/**
 * Serves the certificate of a Secret (`namespace/name`) to clients that name no known host, and each that takes its place.
 * Until there is a good one, the one before stays. Returns how to stop.
 */
export function followCertificate(secret: string, { client, dataplane, id, log }: CertificateParts): () => void {
  const { namespace, name } = parseKey(secret);
  const scope = { ...(namespace === undefined ? {} : { namespace }), fieldSelector: `metadata.name=${name}` };
  const informer = startInformer(client, "Secret", { scope, log, clock: systemClock });
  const problem = (reason: string) =>
    log.warn({ secret, reason }, "the default certificate cannot be used; the last good one stays");
  informer.onChange(({ after }) => {
    const outcome = compileCertificate(secret, after);
    if (!outcome.ok) return problem(outcome.reason);
    const certificates = [[id, { ...outcome.entry, id }]] as const;
    const revision = informer.revision();
    dataplane
      .apply({ hosts: [], backends: [], certificates, revision })
      .catch((error: unknown) => problem(String(error)));
  });
  void informer.synced.then(() => {
    if (informer.list().length === 0) problem("there is no such Secret");
  });
  return () => informer.stop();
}
