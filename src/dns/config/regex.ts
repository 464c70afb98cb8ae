import { canBacktrackForever } from "#routing/l7/regex-risk.ts";

/** Why a text cannot be used as a regular expression over names that anybody may ask for; `undefined` when it can. */
export function whyNoRegex(source: string): string | undefined {
  try {
    RegExp(source, "i");
  } catch (error) {
    return (error as Error).message;
  }
  return canBacktrackForever(source) ? "a repetition inside a repetition could take a worker forever" : undefined;
}
