import { canSandbox, runInSandbox } from "../scripts/sandbox.ts";

/**
 * `npm run bench [NAME...]`: runs the measurements one after another, each in namespaces of its own, and prints their
 * tables. Compare ratios within one run; absolute times belong to the machine.
 */
const benches: Readonly<Record<string, readonly string[]>> = {
  up: ["bench/up.ts"],
  apiserver: ["bench/apiserver.ts"],
  dataplane: ["bench/dataplane.ts", "bench/dataplane-l4.ts"],
  proxy: ["bench/proxy.ts"],
  dns: ["bench/dns.ts"],
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => benches[name] === undefined);
if (unknown.length > 0) {
  console.error(`no bench called ${unknown.join(", ")}; there are: ${Object.keys(benches).join(", ")}`);
  process.exit(1);
}
if (!canSandbox()) {
  console.error("the measurements need root and network namespaces");
  process.exit(1);
}
for (const name of names.length > 0 ? names : Object.keys(benches)) {
  console.log(`\n== ${name}`);
  for (const file of benches[name] ?? []) {
    const status = await runInSandbox([process.execPath, file]);
    if (status !== 0) process.exitCode = status;
  }
}
