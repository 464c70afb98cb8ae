import { readdirSync, readFileSync } from "node:fs";

/** What Prometheus clients tell of their process, as far as this system tells it. Text of the exposition format. */
export function renderProcessMetrics(startedAt: number): string {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  const rows: [name: string, type: "counter" | "gauge", help: string, value: number | undefined][] = [
    ["process_cpu_seconds_total", "counter", "User and system CPU time in seconds.", (user + system) / 1e6],
    ["process_resident_memory_bytes", "gauge", "Resident memory in bytes.", rss],
    ["process_start_time_seconds", "gauge", "Start of the process since the Unix epoch, in seconds.", startedAt / 1000],
    ["process_open_fds", "gauge", "Open file descriptors.", openDescriptors()],
    ["process_max_fds", "gauge", "The most file descriptors that may be open.", maxDescriptors()],
    ["nodejs_heap_used_bytes", "gauge", "Memory of JavaScript's objects in bytes.", heapUsed],
  ];
  return rows
    .flatMap(([name, type, help, value]) =>
      value === undefined ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`],
    )
    .map((line) => `${line}\n`)
    .join("");
}

function openDescriptors(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
}

function maxDescriptors(): number | undefined {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}
