import { chmodSync, rmSync } from "node:fs";
import { build, type BuildOptions } from "esbuild";

// Bundles the program into dist/ for the published package: the launcher, the program with its lazily loaded commands,
// and the programs of the workers and of the echo server, which are started as files of their own.
rmSync("dist", { recursive: true, force: true });

const common: BuildOptions = {
  bundle: true,
  platform: "node",
  format: "esm",
  legalComments: "none",
  logLevel: "warning",
  // Prebuilt native code, what patches globals while it loads, and what reads files of its own stay dependencies.
  external: ["@lydell/node-pty", "@peculiar/x509", "etcd3", "reflect-metadata"],
  // Bundled CommonJS packages ask for `require`.
  banner: {
    js: 'import { createRequire as bundledRequire } from "node:module"; const require = bundledRequire(import.meta.url);',
  },
};

await build({
  ...common,
  target: "node26",
  splitting: true,
  outdir: "dist",
  entryPoints: {
    main: "bin/fairlead.ts",
    "dns-worker": "src/dns/worker.ts",
    "http-worker": "src/dataplane/worker.ts",
    "http-process": "src/dataplane/process/main.ts",
    "echo-server": "src/node/images/echo/server.ts",
    "pod-relay": "src/node/streams/relay.ts",
    "proxy-listen": "src/proxy/http/listen.ts",
  },
});
// The launcher must run on the system's own Node, whatever its age: it finds the pinned one.
await build({ ...common, banner: {}, target: "node18", outfile: "dist/fairlead.js", entryPoints: ["bin/launcher.ts"] });
chmodSync("dist/fairlead.js", 0o755);
