import { equalsIgnoreCase } from "./bytes.ts";

/** The fields a proxy looks at, as small numbers; 0 is every other field. */
export const kind = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  keepAlive: 5,
  proxyConnection: 6,
  proxy: 7,
  te: 8,
  trailer: 9,
  upgrade: 10,
  expect: 11,
  http2Settings: 12,
  xRequestId: 13,
  xRealIp: 14,
  xForwardedFor: 15,
  xForwardedHost: 16,
  xForwardedPort: 17,
  xForwardedProto: 18,
  xForwardedScheme: 19,
  xScheme: 20,
  xOriginalForwardedFor: 21,
  xOriginalUri: 22,
  /** A name with an underscore, which many servers cannot tell from the same name with a hyphen. */
  underscore: 23,
  xOriginalForwardedHost: 24,
} as const;

const names: readonly (readonly [name: string, kind: number])[] = [
  ["host", kind.host],
  ["content-length", kind.contentLength],
  ["transfer-encoding", kind.transferEncoding],
  ["connection", kind.connection],
  ["keep-alive", kind.keepAlive],
  ["proxy-connection", kind.proxyConnection],
  ["proxy", kind.proxy],
  ["te", kind.te],
  ["trailer", kind.trailer],
  ["upgrade", kind.upgrade],
  ["expect", kind.expect],
  ["http2-settings", kind.http2Settings],
  ["x-request-id", kind.xRequestId],
  ["x-real-ip", kind.xRealIp],
  ["x-forwarded-for", kind.xForwardedFor],
  ["x-forwarded-host", kind.xForwardedHost],
  ["x-forwarded-port", kind.xForwardedPort],
  ["x-forwarded-proto", kind.xForwardedProto],
  ["x-forwarded-scheme", kind.xForwardedScheme],
  ["x-scheme", kind.xScheme],
  ["x-original-forwarded-for", kind.xOriginalForwardedFor],
  ["x-original-forwarded-host", kind.xOriginalForwardedHost],
  ["x-original-uri", kind.xOriginalUri],
];

interface Candidate {
  readonly first: number;
  readonly lower: Uint8Array;
  readonly kind: number;
}

const byLength: Candidate[][] = Array.from({ length: 32 }, () => []);
for (const [name, kind] of names) {
  byLength[name.length]?.push({ first: name.charCodeAt(0), lower: Buffer.from(name, "latin1"), kind });
}

/** The kind of the field name in `bytes[start..end]`; underscores are the caller's to see. */
export function fieldKind(bytes: Uint8Array, start: number, end: number): number {
  const candidates = byLength[end - start];
  if (candidates === undefined) return kind.other;
  const first = (bytes[start] ?? 0) | 0x20;
  for (const candidate of candidates) {
    if (candidate.first === first && equalsIgnoreCase(bytes, start, candidate.lower)) return candidate.kind;
  }
  return kind.other;
}
