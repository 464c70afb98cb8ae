/** What a proxy is started as. */
export type Variant = "plain" | "logged" | "hosts";

/** How many hosts the proxies of the variant `hosts` know. */
export const manyHosts = 10_000;

export function hostOf(number: number): string {
  return `h${number}.example`;
}

export interface Load {
  readonly name: string;
  readonly path: string;
  /** wrk's arguments; or HTTP/2 by h2load; or a TLS handshake for each request. */
  readonly by:
    | { readonly tool: "wrk"; readonly args: readonly string[]; readonly tls?: boolean }
    | { readonly tool: "h2load"; readonly connections: number; readonly streams: number; readonly tls: boolean }
    | { readonly tool: "handshakes"; readonly kind: "full" | "resumed"; readonly connections: number };
  readonly variant?: Variant;
  /** Whether a line of its own says what Node's own TLS server costs, which only answers. */
  readonly floor?: boolean;
  /** Proxies that cannot be had in this variant. */
  readonly without?: readonly string[];
}

const wrk = (args: readonly string[], connections = 64) => ["-t1", `-c${connections}`, ...args];
const close = ["-H", "Connection: close"];

const plain: readonly Load[] = [
  { name: "small GET, keep-alive", path: "/small", by: { tool: "wrk", args: wrk([]) } },
  { name: "realistic heads, 1 KB", path: "/json", by: { tool: "wrk", args: wrk(["-s", "browser.lua"]) } },
  { name: "16 KB body", path: "/16k", by: { tool: "wrk", args: wrk([]) } },
  { name: "1 MB body", path: "/1m", by: { tool: "wrk", args: wrk([]) } },
  { name: "chunked 16 KB", path: "/chunked", by: { tool: "wrk", args: wrk([]) } },
  { name: "POST 16 KB", path: "/small", by: { tool: "wrk", args: wrk(["-s", "post.lua"]) } },
  { name: "1 connection", path: "/small", by: { tool: "wrk", args: wrk([], 1) } },
  { name: "512 connections", path: "/small", by: { tool: "wrk", args: wrk([], 512) } },
  { name: "connection per request", path: "/small", by: { tool: "wrk", args: wrk(close) } },
  { name: "TLS, keep-alive", path: "/small", by: { tool: "wrk", args: wrk([]), tls: true }, floor: true },
  ...(["full", "resumed"] as const).map((kind): Load => {
    const by = { tool: "handshakes", kind, connections: 8 } as const;
    return { name: `TLS, ${kind} handshakes`, path: "/small", by, floor: true };
  }),
];

const http2: readonly Load[] = [false, true].flatMap((tls) =>
  (
    [
      [1, 1],
      [16, 1],
      [8, 32],
    ] as const
  ).map(([connections, streams]): Load => {
    const name = `HTTP/2 ${connections}x${streams}${tls ? ", TLS" : ""}`;
    return { name, path: "/small", by: { tool: "h2load", connections, streams, tls } };
  }),
);

export const loads: readonly Load[] = [
  ...plain,
  ...http2,
  {
    name: "10,000 hosts",
    path: "/small",
    by: { tool: "wrk", args: wrk(["-s", "hosts.lua"]) },
    variant: "hosts",
    without: ["caddy"],
  },
  // haproxy logs to a syslog server, and Caddy's log has another shape: there is nothing alike to compare.
  {
    name: "access log on",
    path: "/small",
    by: { tool: "wrk", args: wrk([]) },
    variant: "logged",
    without: ["haproxy", "caddy"],
  },
];

/** Scripts of wrk, by file name. */
export const scripts: Readonly<Record<string, string>> = {
  "post.lua": `wrk.method = "POST"\nwrk.body = string.rep("x", 16384)\n`,
  // The head that a browser sends for a page of a shop, 742 bytes.
  "browser.lua": `wrk.headers = {
  ["Connection"] = "keep-alive", ["Cache-Control"] = "max-age=0", ["Upgrade-Insecure-Requests"] = "1",
  ["sec-ch-ua"] = '"Chromium";v="130", "Not?A_Brand";v="99"', ["sec-ch-ua-mobile"] = "?0", ["sec-ch-ua-platform"] = '"Linux"',
  ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
  ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  ["Sec-Fetch-Site"] = "none", ["Sec-Fetch-Mode"] = "navigate", ["Sec-Fetch-Dest"] = "document",
  ["Accept-Encoding"] = "gzip, deflate, br", ["Accept-Language"] = "de-DE,de;q=0.9,en;q=0.8",
  ["Cookie"] = "session=0123456789abcdef0123456789abcdef; theme=dark; consent=1; cart=a1b2c3d4e5f6" }\n`,
  "hosts.lua": `local at = 0
request = function()
  at = (at + 7919) % ${manyHosts}
  return "GET /small HTTP/1.1\\r\\nHost: h" .. at .. ".example\\r\\n\\r\\n"
end\n`,
};
