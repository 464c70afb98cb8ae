import type { ModeDefinition } from "../../definition.ts";
import { startUserspace } from "./userspace.ts";

/** Relays in this process: needs no root and no kernel, and serves on local ports. */
export const userspace: ModeDefinition = {
  name: "userspace",
  probe: async ({ netns }) =>
    netns === undefined ? { works: true } : { works: false, reason: "it cannot listen inside a network namespace" },
  start: (node, deps) => startUserspace(node, deps),
  cleanup: async () => {},
};
