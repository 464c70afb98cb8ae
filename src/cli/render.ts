import { styleText } from "node:util";
import type { Reach, Report, ReportEvent } from "#roles/report.ts";

/** How events are shown: marked lines that are rewritten on a terminal, plain lines elsewhere, NDJSON for scripts. */
export type OutputStyle = "terminal" | "plain" | "json";

export function styleFor(stream: { isTTY?: boolean }, json: boolean): OutputStyle {
  if (json) return "json";
  return stream.isTTY === true ? "terminal" : "plain";
}

/** A report that writes each event as it happens. */
export function createRenderer(style: OutputStyle, write: (text: string) => void): Report {
  if (style === "json") return (event) => write(`${JSON.stringify(event)}\n`);
  return (event) => {
    const text = renderEvent(event, style);
    if (text !== "") write(text);
  };
}

type TextStyle = "green" | "red" | "yellow" | "dim" | "bold" | "cyan";

const paint = (on: boolean, style: TextStyle, text: string) =>
  on ? styleText(style, text, { validateStream: false }) : text;

/**
 * What others wrote (an image's name, a program's message) may hold signs that a terminal obeys: they are shown as what
 * they are. Line breaks of a text of several lines stay.
 */
function visible(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/gu, (sign) => {
    return `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  });
}

/** The text of one event, line breaks included; a begun step is shown on a terminal only, to be overwritten. */
export function renderEvent(shown: ReportEvent, style: "terminal" | "plain"): string {
  const event = shown.type === "ready" ? shown : { ...shown, text: visible(shown.text) };
  const color = style === "terminal";
  // On a terminal a begun step stays on its line until the next event takes the line over.
  const over = color ? "\r\u001b[K" : "";
  switch (event.type) {
    case "step":
      if (event.state === "begun") return color ? `${over}${paint(true, "dim", "·")} ${event.text} …` : "";
      if (event.state === "skipped") return `${over}${paint(color, "dim", "-")} ${event.text}\n`;
      return `${over}${mark(event.state, color)} ${padded(event.text)}${paint(color, "dim", milliseconds(event.ms))}\n`;
    case "notice":
      return `${over}${paint(color, "cyan", "i")} ${event.text}\n`;
    case "warning":
      return `${over}${paint(color, "yellow", "!")} ${event.text}\n`;
    case "error":
      return `${over}${paint(color, "red", "✗")} ${event.text}\n${event.next === undefined ? "" : `  ${event.next}\n`}`;
    case "ready":
      return `${over}\n${renderReach(event.reach, color)}\n${paint(color, "green", "Ready")} in ${(event.ms / 1000).toFixed(2)} s\n`;
  }
}

function mark(state: "done" | "failed", color: boolean): string {
  return state === "done" ? paint(color, "green", "✓") : paint(color, "red", "✗");
}

function padded(text: string): string {
  return text.length < 64 ? text.padEnd(64) : `${text} `;
}

function milliseconds(ms: number): string {
  return `${Math.round(ms)} ms`.padStart(8);
}

/** The table of what can be reached, and how. */
export function renderReach(reach: Reach, color: boolean): string {
  const sections: string[] = [];
  const head = (text: string) => paint(color, "bold", text);
  if (reach.urls.length > 0) {
    const rows = reach.urls.map(({ url, backend, endpoints }) => [url, "→", backend, counted(endpoints, "endpoint")]);
    sections.push(`${head("Ingress")}\n${table(rows)}`);
  }
  if (reach.services.length > 0) {
    const rows = [["NAME", "TYPE", "CLUSTER-IP", "PORT(S)", "ENDPOINTS", "NODE PORTS"]];
    for (const service of reach.services) {
      const { name, type, clusterIP, ports, endpoints, nodePorts } = service;
      rows.push([name, type, clusterIP, ports, String(endpoints), nodePorts.join(" ") || "-"]);
    }
    sections.push(`${head("Services")}\n${table(rows)}`);
  }
  if (reach.nodes.length > 0) {
    const rows = reach.nodes.map(({ name, address, pods }) => [name, address, counted(pods, "pod")]);
    sections.push(`${head("Nodes")}\n${table(rows)}`);
  }
  const hidden = reach.urls.find(({ url }) => !/^https?:\/\/([^/]*\.localhost|[\d.]+)[:/]/.test(url));
  const access = [
    // Names that only the Ingress knows: the request goes to this machine whatever the name resolves to.
    ...(hidden === undefined ? [] : [["Ingress", `curl --connect-to ::127.0.0.1: ${hidden.url}`]]),
    ["DNS", `${reach.dns}   (dig @${reach.dns} NAME.NAMESPACE.svc.${reach.clusterDomain})`],
    ...(reach.hostLine === undefined ? [] : [["", `by name from this machine: ${reach.hostLine}`]]),
    ["API", reach.api],
    ["kubectl", `export KUBECONFIG=${reach.kubeconfig}`],
  ];
  sections.push(`${head("Access")}\n${table(access)}`);
  return sections.join("\n");
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Rows with columns aligned, two spaces in front. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map((cell) => visible(cell).replaceAll("\n", "\\n")));
  const widths: number[] = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  return rows
    .map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("   ")}`.trimEnd())
    .map((line) => `${line}\n`)
    .join("");
}
