import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { test } from "node:test";
import { bootstrapRoles } from "#apiserver/bootstrap-roles.ts";
import { nodeProof, startTestServer, type TestServer } from "../../fakes/api-server.ts";

/**
 * Each `.txt` file is one conversation with a fresh server. `> METHOD PATH` starts a request, followed by header lines
 * and a body; `< CODE` starts what must come back: `Header: text` lines must be contained, `path = JSON` must be equal
 * (`path ~ text` contained), anything else is the whole body. `{name}` stands for what `path -> name` kept earlier.
 */
const directory = new URL(".", import.meta.url);

for (const file of readdirSync(directory).filter((name) => name.endsWith(".txt"))) {
  test(`API conversation: ${file.replace(".txt", "")}`, async () => {
    const server = await startTestServer({ anonymousAuth: true });
    try {
      await bootstrapRoles(server.localClient({ name: "test", groups: ["system:masters"] }));
      await converse(server, readFileSync(new URL(file, directory), "utf8"));
    } finally {
      await server.stop();
    }
  });
}

async function converse(server: TestServer, text: string): Promise<void> {
  const kept = new Map<string, string>();
  for (const part of text.split(/^> /m).slice(1)) {
    const filled = part.replaceAll(/\{([a-z]+)\}/g, (whole, name: string) => kept.get(name) ?? whole);
    const [asked = "", expected = ""] = filled.split(/^< /m);
    const [head = "", ...lines] = asked.split("\n");
    const answer = await send(server, head, lines);
    expectAnswer(`> ${head}`, answer, expected, kept);
  }
}

interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function send({ certificates, url }: TestServer, head: string, lines: readonly string[]): Promise<Answer> {
  const [method = "GET", path = "/"] = head.split(" ");
  const isHeader = (line: string) => /^[A-Z][\w%-]+: /.test(line);
  const headers = Object.fromEntries(lines.filter(isHeader).map((line) => line.split(/: (.*)/s).slice(0, 2)));
  const anonymous = headers["As"] === "anonymous";
  const who = anonymous ? {} : headers["As"] === "node-1" ? nodeProof(certificates, "node-1") : certificates.admin;
  const body = lines.filter((line) => !isHeader(line) && !line.startsWith("#") && line !== "").join("\n");
  delete headers["As"];
  if (body !== "") headers["Content-Length"] = String(Buffer.byteLength(body));
  return new Promise((resolve, reject) => {
    const request = httpsRequest(`${url}${path}`, { method, headers, ca: certificates.ca, ...who, agent: false });
    request.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      const all = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const);
      response.on("end", () => resolve({ code: response.statusCode ?? 0, headers: Object.fromEntries(all), body }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

function expectAnswer(where: string, answer: Answer, expected: string, kept: Map<string, string>): void {
  const [code = "", ...rest] = expected.split("\n");
  const shown = `${where}\nanswered ${answer.code}: ${answer.body.slice(0, 2000)}`;
  assert.equal(answer.code, Number(code), shown);
  for (const line of rest.filter((text) => text.trim() !== "" && !text.startsWith("#"))) {
    const header = /^([A-Z][A-Za-z-]+): (.*)$/.exec(line);
    const field = /^(\S+) (=|~|->) (.*)$/.exec(line);
    if (header !== null) {
      const value = answer.headers[(header[1] ?? "").toLowerCase()] ?? "";
      assert.ok(value.includes(header[2] ?? ""), `${shown}\nheader ${line}, but it is ${value}`);
    } else if (field !== null) {
      const [, path = "", sign, wanted = ""] = field;
      const value = path.split("/").reduce<unknown>(step, JSON.parse(answer.body));
      if (sign === "->") kept.set(wanted, textOf(value));
      else if (sign === "=")
        assert.deepEqual(value, wanted === "absent" ? undefined : JSON.parse(wanted), `${shown}\n${line}`);
      else assert.ok(textOf(value).includes(wanted), `${shown}\n${line}, but it is ${textOf(value)}`);
    } else assert.equal(answer.body.trim(), line, shown);
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

/** One step of a path such as `spec/ports/0/port`; `length` of a list; `~1` for a slash, as in a JSON pointer. */
function step(value: unknown, name: string): unknown {
  return (value as Record<string, unknown> | undefined)?.[name.replaceAll("~1", "/")];
}
