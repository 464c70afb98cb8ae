#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

// A folder of our own: the default one lies where every user may write, and what is in it is run.
if (process.env["NODE_COMPILE_CACHE"] === undefined) {
  enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/compile", import.meta.url)));
}
const { main } = await import("#cli/main.ts");
process.exitCode = await main(process.argv.slice(2));
