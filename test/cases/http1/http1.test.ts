import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { casesOf, outcomeOf, readRequest, readResponse, type Reader } from "./reading.ts";

/** The message twice on one connection: the second one begins where the first one ends, and is read as if it were alone. */
function checkPipelined(bytes: Buffer, end: number, read: Reader): void {
  const one = bytes.subarray(0, end);
  const alone = outcomeOf(one, [], read);
  const first = { ...alone, text: `${alone.text} rest=${end}` };
  const both = Buffer.concat([one, one]);
  const step = Math.max(1, Math.floor(both.length / 512));
  for (let cut = 0; cut < both.length; cut += step) {
    const cuts = cut === 0 ? [] : [cut];
    assert.deepEqual(outcomeOf(both, cuts, read), first, `pipelined, cut at ${cut}`);
  }
  assert.deepEqual(outcomeOf(both.subarray(end), [], read), alone, "behind itself");
}

for (const kind of ["requests", "responses", "head-responses"] as const) {
  const read = kind === "requests" ? readRequest : readResponse(kind === "head-responses");
  for (const { name, cases } of casesOf(kind))
    describe(`http1 cases: ${name}`, () => {
      for (const { name, bytes, outcome } of cases) {
        test(name, () => {
          const { text, end } = outcomeOf(bytes, [], read);
          assert.equal(text, outcome, "sent whole");
          const step = Math.max(1, Math.floor(bytes.length / 512));
          for (let cut = 1; cut < bytes.length; cut += step) {
            assert.equal(outcomeOf(bytes, [cut], read).text, outcome, `cut at ${cut}`);
          }
          const everywhere = Array.from({ length: Math.floor((bytes.length - 1) / step) }, (_, at) => (at + 1) * step);
          assert.equal(outcomeOf(bytes, everywhere, read).text, outcome, "cut everywhere");
          if (end !== undefined) checkPipelined(bytes, end, read);
        });
      }
    });
}
