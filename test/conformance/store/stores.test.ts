import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryStore } from "#store/drivers/memory.ts";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { describeStore } from "./suite.ts";

describeStore("memory", async () => {
  const store = createMemoryStore();
  return { store, dispose: () => store.close() };
});

describeStore("sqlite", async () => {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-store-"));
  const store = await openSqliteStore(join(directory, "state.db"));
  return {
    store,
    async dispose() {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
});
