import { fetchDebianKubectl } from "./kubectls.ts";

// Fetches Debian's kubectl where there is a network; the tests themselves run without one.
const problem = fetchDebianKubectl();
if (problem !== undefined) console.error(problem);
