import type { Served } from "./served.ts";

// oxlint-disable-next-line no-control-regex
const special = /["\\\0-\x1f\x7f-\xff]/g;

/** As nginx escapes: `"`, `\` and what is not printable ASCII become `\xHH`; an empty value is `-`. */
function shown(text: string): string {
  if (text === "") return "-";
  return text.replace(special, (byte) => `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
let lastSecond = -1;
let lastText = "";

/** `20/Nov/2026:10:00:00 +0000`, made once a second. */
function timeOf(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second === lastSecond) return lastText;
  const [year, month, day] = new Date(ms).toISOString().slice(0, 10).split("-");
  lastSecond = second;
  lastText = `${day}/${months[Number(month) - 1]}/${year}:${new Date(ms).toISOString().slice(11, 19)} +0000`;
  return lastText;
}

/** `dev/web:http` as ingress-nginx names it: `dev-web-http`. */
function upstreamName(backend: string): string {
  return backend.replace(/\[.*$/, "").replace(/[/:]/g, "-");
}

/** One line of ingress-nginx's default format, `upstreaminfo`; times are UTC. */
export function formatLine(served: Served): string {
  const { client, at, method, target, protocol, status, endpoints } = served;
  const who = `${shown(client)} - ${shown(served.user)} [${timeOf(at)}]`;
  const line = `"${shown(`${method} ${target} ${protocol}`)}" ${status} ${served.bytesSent}`;
  const from = `"${shown(served.referer)}" "${shown(served.userAgent)}" ${served.requestBytes} ${served.seconds.toFixed(3)}`;
  const last = endpoints.length - 1;
  const tries = (ofLast: string) =>
    last < 0 ? "-" : endpoints.map((_, index) => (index === last ? ofLast : "-")).join(", ");
  const answered = served.upstreamStatus > 0;
  const upstream = [
    last < 0 ? "-" : endpoints.join(", "),
    tries(answered ? String(served.bytesSent) : "-"),
    tries(served.upstreamSeconds.toFixed(3)),
    tries(answered ? String(served.upstreamStatus) : "-"),
  ].join(" ");
  return `${who} ${line} ${from} [${upstreamName(served.backend)}] [] ${upstream} ${shown(served.requestId)}\n`;
}
