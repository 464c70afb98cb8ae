/** Where the program of a data plane in a process of its own is. */
export function dataplaneProgram(): URL {
  const isBundled = !import.meta.url.endsWith(".ts");
  return new URL(isBundled ? "./http-process.js" : "../dataplane/process/main.ts", import.meta.url);
}

/** Where a worker's program is: its TypeScript in a checkout, the bundle beside this one in the published package. */
export function workerUrl(worker: "dns" | "http"): URL {
  if (!import.meta.url.endsWith(".ts")) return new URL(`./${worker}-worker.js`, import.meta.url);
  return new URL(worker === "dns" ? "../dns/worker.ts" : "../dataplane/worker.ts", import.meta.url);
}
