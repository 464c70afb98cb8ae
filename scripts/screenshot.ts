import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";

/**
 * Runs `fairlead up` on the quick start in a real terminal of 100 columns and writes what a person sees to docs/up.svg:
 * `node scripts/sandbox.ts node scripts/screenshot.ts`. The README shows that picture.
 */
const columns = 100;
const dataDir = mkdtempSync(join(tmpdir(), "fairlead-picture-"));
const args = ["bin/fairlead.ts", "up", "examples/quickstart", "--data-dir", dataDir];
const terminal = spawn(process.execPath, args, {
  cols: columns,
  rows: 60,
  env: { ...process.env, TERM: "xterm-256color", FORCE_COLOR: "1" },
});
let output = "";
await new Promise<void>((resolve) => {
  terminal.onData((text) => {
    output += text;
    if (output.includes("Ctrl-C stops it.")) resolve();
  });
  terminal.onExit(() => resolve());
});
const seen = output.replaceAll(dataDir, "/var/lib/fairlead");
terminal.write("\u0003");
await new Promise((resolve) => terminal.onExit(resolve));
writeFileSync("docs/up.svg", renderSvg(["$ npm ci && npm start", ...screenLines(seen)]));

/** The lines as they stand at the end: a carriage return with an erased line starts the line anew. */
function screenLines(text: string): string[] {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.slice(line.lastIndexOf("\r\u001b[K") + 1).replace("\u001b[K", ""));
  while (lines.at(-1)?.trim() === "") lines.pop();
  return lines;
}

interface Run {
  readonly text: string;
  readonly color: string;
  readonly bold: boolean;
}

/** SGR numbers of the styles the program uses. */
function runsOf(line: string): Run[] {
  const colors: Readonly<Record<string, string>> = {
    31: "#ff7b72",
    32: "#7ee787",
    33: "#e3b341",
    36: "#79c0ff",
    2: "#8b949e",
  };
  const runs: Run[] = [];
  let [color, bold] = ["#e6edf3", false];
  const [start = "", ...parts] = line.split("\u001b[");
  if (start !== "") runs.push({ text: start, color, bold });
  for (const part of parts) {
    const [, code = "", text = part] = /^([0-9;]*)m(.*)$/s.exec(part) ?? [];
    if (code === "1") bold = true;
    else if (colors[code] !== undefined) color = colors[code];
    else [color, bold] = ["#e6edf3", false];
    if (text !== "") runs.push({ text, color, bold });
  }
  return runs;
}

function renderSvg(lines: readonly string[]): string {
  const [width, lineHeight, margin] = [columns * 8.43 + 40, 20, 20];
  const height = lines.length * lineHeight + 2 * margin + 24;
  const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const rows = lines.map((line, index) => {
    const spans = runsOf(line).map(
      ({ text, color, bold }) => `<tspan fill="${color}"${bold ? ' font-weight="bold"' : ""}>${escaped(text)}</tspan>`,
    );
    return `<text x="${margin}" y="${margin + 40 + index * lineHeight}" xml:space="preserve">${spans.join("")}</text>`;
  });
  const buttons = ["#ff5f57", "#febc2e", "#28c840"].map(
    (fill, at) => `<circle cx="${20 + at * 20}" cy="18" r="6" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="14">
<rect width="100%" height="100%" rx="10" fill="#0d1117"/>
${buttons.join("")}
${rows.join("\n")}
</svg>
`;
}
