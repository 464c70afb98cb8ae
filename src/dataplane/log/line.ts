import type { Served } from "./served.ts";

// oxlint-disable-next-line no-control-regex
const special = /["\\\0-\x1f\x7f-\xff]/;
// oxlint-disable-next-line no-control-regex
const everySpecial = /["\\\0-\x1f\x7f-\xff]/g;

/** As nginx escapes: `"`, `\` and what is not printable ASCII become `\xHH`; an empty value is `-`. */
function shown(text: string): string {
  if (text === "") return "-";
  // Most texts have none, and to look is cheaper than to replace nothing.
  if (!special.test(text)) return text;
  return text.replace(everySpecial, (byte) => `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

let lastAgent = "";
let lastAgentShown = "-";

/** Most requests on a connection come from the same program. */
function shownAgent(text: string): string {
  if (text !== lastAgent) {
    lastAgent = text;
    lastAgentShown = shown(text);
  }
  return lastAgentShown;
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

const upstreamNames = new Map<string, string>();

/** `dev/web:http` as ingress-nginx names it, `dev-web-http`; made once a backend. */
function upstreamName(backend: string): string {
  let name = upstreamNames.get(backend);
  if (name === undefined) {
    if (upstreamNames.size >= 10_000) upstreamNames.clear();
    name = backend.replace(/\[.*$/, "").replace(/[/:]/g, "-");
    upstreamNames.set(backend, name);
  }
  return name;
}

/** Milliseconds as seconds with three digits behind the point. */
function secondsOf(ms: number): string {
  const whole = Math.round(ms);
  const rest = whole % 1000;
  return `${(whole - rest) / 1000}.${rest < 10 ? "00" : rest < 100 ? "0" : ""}${rest}`;
}

/** One line of ingress-nginx's default format, `upstreaminfo`; times are UTC. */
export function formatLine(served: Served): string {
  const { endpoints, bytesSent, status } = served;
  const who = `${served.client} - ${shown(served.user)} [${timeOf(served.at)}]`;
  const request = shown(`${served.method} ${served.target} ${served.protocol}`);
  const from = `"${shown(served.referer)}" "${shownAgent(served.userAgent)}" ${served.requestBytes} ${secondsOf(served.ms)}`;
  const upstream = endpoints.length === 0 ? "- - - -" : upstreamOf(served);
  const name = upstreamName(served.backend);
  return `${who} "${request}" ${status} ${bytesSent} ${from} [${name}] [] ${upstream} ${shown(served.requestId)}\n`;
}

/** Endpoints, lengths, times and statuses, each with one item a try; only the last try has any. */
function upstreamOf({ endpoints, bytesSent, upstreamMs, upstreamStatus }: Served): string {
  const length = upstreamStatus > 0 ? bytesSent : "-";
  const status = upstreamStatus > 0 ? upstreamStatus : "-";
  const [first = ""] = endpoints;
  if (endpoints.length === 1) return `${first} ${length} ${secondsOf(upstreamMs)} ${status}`;
  const failed = "-, ".repeat(endpoints.length - 1);
  return `${endpoints.join(", ")} ${failed}${length} ${failed}${secondsOf(upstreamMs)} ${failed}${status}`;
}
