/** Which trace a request belongs to (W3C Trace Context, level 2). */
export interface TraceParent {
  /** 32 hexadecimal digits in lower case. */
  readonly traceId: string;
  /** 16 of them: who sent the request. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * Reads `traceparent` as sections 3.2.2 and 4.3 say: nothing where it breaks a rule, and the same for two of it. A later
 * version is read as far as this one goes.
 */
export function parseTraceparent(text: string): TraceParent | undefined {
  const [, version = "", traceId = "", spanId = "", flags = "", rest] = shape.exec(text) ?? [];
  if (version === "" || version === "ff" || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  if (version === "00" && rest !== undefined) return undefined;
  return { traceId, spanId, isSampled: (parseInt(flags, 16) & 1) === 1 };
}

export function renderTraceparent({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

const member =
  /^[a-z0-9][a-z0-9_*/-]{0,255}(?:@[a-z][a-z0-9_*/-]{0,13})?=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const mostMembers = 32;

/** `tracestate` (section 3.3) as it goes on, its lines joined by commas; nothing where any part of it breaks a rule. */
export function parseTracestate(text: string): string | undefined {
  const members = text
    .split(",")
    .map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((part) => part !== "");
  const keys = new Set(members.map((part) => part.slice(0, part.indexOf("="))));
  const isGood =
    members.length <= mostMembers && keys.size === members.length && members.every((part) => member.test(part));
  return isGood && members.length > 0 ? members.join(",") : undefined;
}
