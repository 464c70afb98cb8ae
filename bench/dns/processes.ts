import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** CPU time of a process in microseconds: all its threads, the kernel's share with it, as the scheduler counts it. */
export function cpuOf(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  }
  return nanoseconds / 1000;
}

/** Resident memory of a process in MB. */
export function memoryOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) / 1024;
}

/** How many threads of a process have a name that begins like this. */
export function threadsOf(pid: number, name: string): number {
  const names = readdirSync(`/proc/${pid}/task`).map((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/comm`, "utf8"),
  );
  return names.filter((each) => each.startsWith(name)).length;
}

/** Keeps a process and all its threads on some processors, e.g. `0` or `0-1`. */
export function pin(pid: number, processors: string): void {
  spawnSync("taskset", ["-a", "-p", "-c", processors, String(pid)], { stdio: "ignore" });
}
