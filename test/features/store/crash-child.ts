import { openSqliteStore } from "#store/drivers/sqlite.ts";

// Writes for ever and prints each acknowledged key and revision; the test kills it at a random moment.
const store = await openSqliteStore(process.argv[2] ?? "");
const start = (await store.revision()) + 1;
for (let turn = start; ; turn += 1) {
  const keys = [0, 1, 2, 3].map((slot) => `/round/${turn}/${slot}`);
  const results = await Promise.all(
    keys.map((key) => store.commit([{ type: "put", key, value: Buffer.from(`value of ${key}`) }])),
  );
  const lines = results.map((result, index) => `${keys[index]} ${result.ok ? result.revision : "refused"}\n`);
  process.stdout.write(lines.join(""));
}
