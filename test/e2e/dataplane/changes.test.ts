import { test } from "node:test";
import { runChanges } from "./long/changes.ts";

// The long form: `npm run soak changes`, a thousand changes and ten thousand connections.
test("a hundred changes break none of three hundred connections", { timeout: 200_000 }, async (t) => {
  const { uses } = await runChanges(300, 100);
  t.diagnostic(`the connections were used ${uses} times meanwhile`);
});
