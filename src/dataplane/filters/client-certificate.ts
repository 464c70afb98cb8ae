import { withoutCertificate } from "../tls/admit.ts";
import type { RequestFilter } from "./filter.ts";

/** Without TLS nobody can show a certificate. Over TLS the host has looked at it already. */
export function compileClientCertificate(): RequestFilter {
  const { answer, reason } = withoutCertificate({});
  return ({ encrypted }) => (encrypted ? undefined : { ...answer, reason });
}
