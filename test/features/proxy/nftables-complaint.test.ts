import assert from "node:assert/strict";
import { test } from "node:test";
import { parseComplaint } from "#proxy/modes/nftables/complaint.ts";

/** What nft 1.0.6 says, and the element that is to blame. */
const complaints = [
  {
    name: "an element that stands there with another value is to blame",
    said: `Error: Could not process rule: File exists
add element ip t m { 1.2.3.4 : drop, 1.2.3.5 : drop }; add element ip t m { 1.2.3.6 : drop, 1.2.3.4 : accept }
                                                                                            ^^^^^^^`,
    at: { set: "m", key: "1.2.3.4" },
  },
  {
    name: "nobody is to blame for an element that another program took away",
    said: `Error: Could not process rule: No such file or directory
delete element ip t m { 1.2.3.4 }
                        ^^^^^^^`,
  },
  {
    name: "nor for a set that it took away",
    said: `Error: No such file or directory
add element ip t nope { 1.2.3.4 : drop }
                 ^^^^`,
  },
  {
    name: "nor for a chain",
    said: `Error: Could not process rule: No such file or directory
add element ip t m { 1.2.3.4 : drop, 1.2.3.5 : goto nochain }
                                     ^^^^^^^`,
  },
  {
    name: "nor for what is said of the table",
    said: `Error: Operation not supported
add element ip t m { 1.2.3.4 : drop }
               ^`,
  },
];

for (const { name, said, at } of complaints) {
  test(name, () => {
    const complaint = parseComplaint(said);
    assert.deepEqual(complaint.at, at);
    const [words = ""] = said.replace("Error: ", "").split("\n");
    assert.ok(complaint.text.startsWith(words), complaint.text);
  });
}
