import assert from "node:assert/strict";
import { spawn } from "node:child_process";

export interface Load {
  /** Ends the load and gives what wrk says of it. */
  end(): Promise<{ name: string; output: string }>;
}

/** wrk until it is ended; it prints its count of failures when it is interrupted, as when its time is over. */
export function startLoad(name: string, args: readonly string[]): Load {
  const child = spawn("wrk", ["-t1", "-c4", "-d300s", "--timeout", "5s", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    async end() {
      child.kill("SIGINT");
      await ended;
      return { name, output };
    },
  };
}

/** Ends the loads; fails the test when any request of theirs failed. */
export async function endWithoutFailure(loads: readonly Load[]): Promise<void> {
  for (const { name, output } of await Promise.all(loads.map((load) => load.end()))) {
    assert.match(output, /Requests\/sec/, `${name}: ${output}`);
    assert.doesNotMatch(output, /Socket errors|Non-2xx/, `${name}: ${output}`);
  }
}
