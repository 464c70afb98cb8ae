/** Reason phrases as nginx prints them in its pages. */
const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  204: "No Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Authorization Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Not Allowed",
  408: "Request Time-out",
  413: "Request Entity Too Large",
  414: "Request-URI Too Large",
  417: "Expectation Failed",
  421: "Misdirected Request",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Temporarily Unavailable",
  504: "Gateway Time-out",
  505: "HTTP Version Not Supported",
};

export function reasonOf(status: number): string {
  return reasons[status] ?? "Unknown";
}

/** An answer of the proxy itself. */
export interface Answer {
  readonly status: number;
  readonly fields?: readonly (readonly [name: string, value: string])[];
  /** An HTML body; the page of the status when absent. */
  readonly body?: string;
}

/** How long the body of an answer is. */
export function answerBytes({ status, body }: Answer): number {
  return status === 204 || status === 304 ? 0 : Buffer.byteLength(body ?? renderPage(status));
}

/** The page of a status in nginx's classic shape, which clients and checks know. */
export function renderPage(status: number, title = `${status} ${reasonOf(status)}`): string {
  return [
    "<html>",
    `<head><title>${title}</title></head>`,
    "<body>",
    `<center><h1>${title}</h1></center>`,
    "<hr><center>fairlead</center>",
    "</body>",
    "</html>",
    "",
  ].join("\r\n");
}

export interface AnswerContext {
  /** Milliseconds since the epoch, for Date. */
  readonly now: number;
  readonly toHead: boolean;
  /** The value of Connection, or nothing. */
  readonly connection: "close" | "keep-alive" | "";
}

/** The bytes of an answer. Values come from rules and requests: control characters are taken out, so that none of them
 * can begin a field of its own. */
export function renderAnswer(answer: Answer, { now, toHead, connection }: AnswerContext): Buffer {
  const { status, fields = [] } = answer;
  const body = status === 204 || status === 304 ? "" : (answer.body ?? renderPage(status));
  const lines = [
    `HTTP/1.1 ${status} ${reasonOf(status)}`,
    `Date: ${new Date(now).toUTCString()}`,
    ...(body === "" ? [] : ["Content-Type: text/html"]),
    ...(status === 204 || status === 304 ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    ...(connection === "" ? [] : [`Connection: ${connection}`]),
    ...fields.map(([name, value]) => `${name}: ${plainValue(value)}`),
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${toHead ? "" : body}`, "latin1");
}

/** A field value without control characters. One character is one byte, as request targets are kept. */
export function plainValue(value: string): string {
  // oxlint-disable-next-line no-control-regex
  return value.replace(/[\0-\x08\x0a-\x1f\x7f]/g, "");
}

/** Text as the bytes that go on the wire, one character a byte. */
export function bytesOfText(text: string): string {
  return /[^\0-\x7f]/.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}
