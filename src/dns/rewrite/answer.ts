import { renderBody, type Body } from "#wire/dns/body.ts";
import { parseMessage } from "#wire/dns/message.ts";
import { lowerName, type WireName } from "#wire/dns/name.ts";
import type { ResourceRecord } from "#wire/dns/record.ts";
import type { Query } from "#wire/dns/query.ts";

/** The packet that asks for another name in place of the one in `query`; all else as it came. */
export function askInstead(packet: Uint8Array, query: Query, name: WireName): { packet: Buffer; query: Query } {
  const asked = Buffer.concat([
    packet.subarray(0, 12),
    Buffer.from(`${name}\0`, "latin1"),
    packet.subarray(query.questionEnd - 4, query.questionEnd),
  ]);
  return { packet: asked, query: { ...query, name, questionEnd: asked.length } };
}

/**
 * What the answer to the other name says to the asked one: its records, under the asked name when `answerAsked`, so
 * that a resolver finds what it looked for.
 */
export function bodyForAsked(
  response: Uint8Array,
  { asked, rewritten, answerAsked }: { asked: WireName; rewritten: WireName; answerAsked: boolean },
): Body | undefined {
  const message = parseMessage(response);
  if (message === undefined) return undefined;
  const rename = (records: readonly ResourceRecord[]): ResourceRecord[] =>
    records.map((found) => (answerAsked && lowerName(found.name) === rewritten ? { ...found, name: asked } : found));
  const { answers, authorities, additionals } = message;
  return renderBody(asked, {
    answers: rename(answers),
    authorities: rename(authorities),
    additionals: rename(additionals),
  });
}
