import { anotherSubject, withoutCertificate } from "../tls/admit.ts";
import type { Filter } from "../table.ts";
import type { RequestFilter } from "./filter.ts";

/** Without TLS nobody can show a certificate. Over TLS the host has looked at it already. */
export function compileClientCertificate({
  bySubject = false,
}: Extract<Filter, { type: "client-certificate" }>): RequestFilter {
  const { answer, reason } = bySubject ? anotherSubject : withoutCertificate({});
  return ({ encrypted }) => (encrypted ? undefined : { ...answer, reason });
}
