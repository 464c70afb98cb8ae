import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeObject } from "#api/meta/object.ts";
import { loadCertificates, type Certificates } from "#apiserver/certificates.ts";
import { startApiServer, type ApiServerOptions, type RunningApiServer } from "#apiserver/start.ts";
import { createRemoteClient, type RemoteClient } from "#client/remote.ts";
import { createMemoryStore } from "#store/drivers/memory.ts";

export interface TestServer extends RunningApiServer {
  readonly certificates: Certificates;
  readonly url: string;
}

let issued: Promise<Certificates> | undefined;

/** One set of certificates for all tests of a run: issuing is slow, and nothing is changed. */
export function testCertificates(): Promise<Certificates> {
  issued ??= (async () => {
    const directory = mkdtempSync(join(tmpdir(), "fairlead-test-"));
    try {
      return await loadCertificates({ directory, nodes: ["node-1", "node-2"] });
    } finally {
      rmSync(directory, { recursive: true });
    }
  })();
  return issued;
}

/** A real API server on a free port over a store in memory; `stop` ends it. */
export async function startTestServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const certificates = await testCertificates();
  const listen = [{ host: "127.0.0.1", port: 0 }];
  const server = await startApiServer({ store: createMemoryStore(), certificates, listen, ...options });
  return { ...server, certificates, url: `https://127.0.0.1:${server.addresses()[0]?.port}` };
}

/** A remote client of that server, as its administrator by default, or as a node. */
export function connectedClient({ certificates, url }: TestServer, who: "admin" | TestNode = "admin"): RemoteClient {
  const proof = who === "admin" ? certificates.admin : nodeProof(certificates, who);
  return createRemoteClient({ server: url, ca: certificates.ca, ...proof, name: "test" });
}

/** The nodes that have a certificate. */
export type TestNode = "node-1" | "node-2";

export function nodeProof({ nodes }: Pick<Certificates, "nodes">, node: TestNode): { cert: string; key: string } {
  const proof = nodes[node];
  if (proof === undefined) throw new Error(`${node} has no certificate`);
  return proof;
}

export interface Answer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Question {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** Whose certificate is shown; the administrator's by default. */
  readonly who?: { readonly cert: string; readonly key: string } | "nobody";
}

/** One request on a connection of its own, as the administrator by default. */
export function ask(server: TestServer, path: string, question: Question = {}): Promise<Answer> {
  const { method = "GET", headers = {}, body } = question;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
    const request = start(server, path, { method, headers: { ...headers, ...length } }, question.who);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ code: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

export interface RawWatch {
  /** Resolves with the first `count` documents of the stream, once they are there. */
  until(count: number): Promise<{ type: string; object: KubeObject & Record<string, unknown> }[]>;
  /** Resolves when the server ends the stream. */
  readonly ended: Promise<void>;
  readonly response: IncomingMessage;
  stop(): void;
}

/** A GET whose answer is a stream of JSON documents, one a line. */
export function openWatch(
  server: TestServer,
  path: string,
  { headers = {}, who }: Pick<Question, "who" | "headers"> = {},
): Promise<RawWatch> {
  return new Promise((resolve, reject) => {
    const request = start(server, path, { headers }, who);
    request.on("error", reject);
    request.on("response", (response) => {
      const events: { type: string; object: KubeObject & Record<string, unknown> }[] = [];
      let rest = "";
      let wake = () => {};
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) events.push(JSON.parse(line));
        wake();
      });
      const ended = new Promise<void>((resolve) => response.on("close", resolve));
      response.on("error", () => {});
      const until = async (count: number) => {
        let over = false;
        void ended.then(() => {
          over = true;
          wake();
        });
        while (events.length < count) {
          if (over) throw new Error(`the stream ended after ${events.length} of ${count} events`);
          await new Promise<void>((resolve) => (wake = resolve));
        }
        return events.slice(0, count);
      };
      resolve({ until, ended, response, stop: () => request.destroy() });
    });
    request.end();
  });
}

/** A request that is not sent yet. */
export function start(
  { certificates, url }: TestServer,
  path: string,
  options: { method?: string; headers?: OutgoingHttpHeaders },
  who: Question["who"] = certificates.admin,
): ClientRequest {
  const proof = who === "nobody" ? {} : { cert: who.cert, key: who.key };
  return httpsRequest(`${url}${path}`, { ...options, ca: certificates.ca, ...proof, agent: false });
}

/** A user who signs in with a token and may do everything that the cluster's roles can give: no administrator. */
export const ordinary = { token: "ordinary-token", user: { name: "ordinary", groups: [] } } as const;

/** Gives a user of this name all rights by a binding. */
export async function letDoAll(server: TestServer, name: string = ordinary.user.name): Promise<void> {
  const client = server.localClient({ name: "test", groups: ["system:masters"] });
  const rules = [
    { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
    { verbs: ["*"], nonResourceURLs: ["*"] },
  ];
  const role = `all-of-${name}`;
  await client.create("ClusterRole", { metadata: { name: role }, rules });
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole" as const, name: role };
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User" as const, name }];
  await client.create("ClusterRoleBinding", { metadata: { name: role }, roleRef, subjects });
}

/** How a user with a static token asks. */
export function byToken(token: string): Pick<Question, "who" | "headers"> {
  return { who: "nobody", headers: { Authorization: `Bearer ${token}` } };
}
