import { runChanges } from "./changes.ts";
import { runSoak } from "./traffic.ts";

// `npm run soak [traffic [MINUTES]] | changes [CONNECTIONS [CHANGES]]`: the long forms of the tests beside.
const [what = "traffic", first, second] = process.argv.slice(2);
if (what === "traffic") console.log(await runSoak(Number(first ?? 20) * 60, 64));
else if (what === "changes") console.log(await runChanges(Number(first ?? 10_000), Number(second ?? 1000)));
else {
  console.error(`no long run called ${what}; there are: traffic, changes`);
  process.exitCode = 1;
}
