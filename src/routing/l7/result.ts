import type { BackendEntry, CertificateEntry } from "#dataplane/table.ts";
import type { Because, Problem } from "../because.ts";
import type { HostOutcome } from "./host.ts";
import type { CompiledIngresses } from "./table.ts";

/** What a compiler holds, as one value that later changes do not touch. */
export function collectResult(state: {
  hosts: ReadonlyMap<string, HostOutcome>;
  backends: ReadonlyMap<string, BackendEntry>;
  certificates: ReadonlyMap<string, CertificateEntry>;
  defaultCertificate: CertificateEntry | undefined;
  ingresses: ReadonlyMap<
    string,
    { readonly ignored?: string; readonly serving?: unknown; readonly problems: readonly Problem[] }
  >;
}): CompiledIngresses {
  const { defaultCertificate } = state;
  const problems: Problem[] = [];
  const because = new Map<string, Because>();
  const accepted = new Set<string>();
  const ignored = new Map<string, string>();
  for (const [key, ingress] of sorted(state.ingresses)) {
    problems.push(...ingress.problems);
    if (ingress.serving !== undefined) accepted.add(key);
    if (ingress.ignored !== undefined) ignored.set(key, ingress.ignored);
  }
  for (const [, outcome] of sorted(state.hosts)) {
    problems.push(...outcome.problems);
    for (const [id, why] of outcome.because) because.set(id, why);
  }
  const certificates = sorted(state.certificates);
  if (defaultCertificate !== undefined) certificates.set(defaultCertificate.id, defaultCertificate);
  return {
    hosts: new Map([...sorted(state.hosts)].map(([name, { entry }]) => [name, entry])),
    backends: sorted(state.backends),
    certificates,
    ...(defaultCertificate === undefined ? {} : { defaultCertificate: defaultCertificate.id }),
    problems: problems.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1)),
    because,
    accepted,
    ignored,
  };
}

function placeOf({ at, code, message }: Problem): string {
  return [at.namespace ?? "", at.name, at.field ?? "", code, message].join(" ");
}

function sorted<T>(values: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
}
