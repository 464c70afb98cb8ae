import {
  findProgram,
  installLine,
  installTools,
  missingTools,
  modeTools,
  testTools,
  upTools,
} from "#roles/packages.ts";
import { spawnSync } from "node:child_process";
import { prepareMachine } from "./vm.ts";
import { fetchDebianKubectl } from "../test/e2e/kubectl/kubectls.ts";

// Sets up what the tests need beyond `npm ci`: Debian packages, as root; otherwise the line to type is printed.
const missing = missingTools([...upTools, ...Object.values(modeTools).flat(), ...testTools]);
if (missing.length > 0) {
  if (process.getuid?.() === 0) {
    console.log(`installing Debian packages: ${[...new Set(missing.map((tool) => tool.package))].join(" ")}`);
    const problem = installTools(missing);
    if (problem !== undefined) {
      console.error(problem);
      process.exitCode = 1;
    }
  } else console.log(`these programs are missing; as root, type: ${installLine(missing)}`);
}

// An old kubectl, for the tests alone: it is unpacked beside them and not installed.
if (process.getuid?.() === 0 && findProgram("apt-get") !== undefined) {
  const problem = fetchDebianKubectl();
  if (problem !== undefined) console.log(`the tests with kubectl 1.20 will be skipped: ${problem}`);
}

// What this machine's kernel lacks is tested on Debian's, in a virtual machine.
if (process.getuid?.() === 0 && spawnSync("ipvsadm", ["-L", "-n"]).status !== 0) {
  const problem = prepareMachine();
  if (problem !== undefined) console.log(`the tests of ipvs will be skipped: ${problem}`);
}
