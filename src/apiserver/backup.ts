import { createReadStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ApiError } from "#api/meta/status.ts";
import { StoreError } from "#store/error.ts";
import type { Exchange } from "./http/exchange.ts";
import { commonHeaders } from "./http/respond.ts";

/** Where `fairlead backup` gets the objects of a running cluster; for administrators, as every path that is not known. */
export const backupPath = "/fairlead/backup";

/** Everything in the store as one file, as it is at this moment. */
export async function answerBackup(exchange: Exchange): Promise<void> {
  const { backup } = exchange.parts;
  if (backup === undefined) throw new ApiError("NotFound", "this store is backed up by its own tools", {});
  const folder = mkdtempSync(join(tmpdir(), "fairlead-backup-"));
  try {
    const file = join(folder, "store.db");
    await backup(file);
    exchange.response.writeHead(200, {
      ...commonHeaders(exchange),
      "Content-Type": "application/vnd.sqlite3",
      "Content-Length": statSync(file).size,
    });
    await pipeline(createReadStream(file), exchange.response);
  } catch (error) {
    throw error instanceof StoreError ? new ApiError("InternalError", error.message) : error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
