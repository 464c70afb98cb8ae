import http from "node:http";
import https from "node:https";
import net from "node:net";
import type { Container, ProbeAction } from "#api/core/pod/kind.ts";
import type { ExecResult } from "../../runtime/contract.ts";
import { checkGrpc } from "./grpc.ts";
import type { CheckResult } from "./result.ts";

export interface CheckContext {
  readonly container: Container;
  /** The pod's address. */
  readonly address: string;
  exec(command: readonly string[], timeoutMs: number): Promise<ExecResult>;
}

const longestBody = 10 << 10;

/** Runs one probe or hook once. Never rejects: what cannot even be asked (a header with a line break) has failed. */
export async function check(action: ProbeAction, context: CheckContext, timeoutMs: number): Promise<CheckResult> {
  try {
    return await ask(action, context, timeoutMs);
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

async function ask(action: ProbeAction, context: CheckContext, timeoutMs: number): Promise<CheckResult> {
  const { exec, httpGet, tcpSocket, grpc } = action;
  if (exec !== undefined) {
    const result = await context.exec(exec.command ?? [], timeoutMs);
    if (result.timedOut) return { ok: false, message: `command timed out after ${timeoutMs / 1000}s` };
    const output = (result.stdout + result.stderr).trim().slice(0, 512);
    return { ok: result.exitCode === 0, message: output || `command ended with ${result.exitCode}` };
  }
  if (httpGet !== undefined) return checkHttp(httpGet, context, timeoutMs);
  const named = tcpSocket?.port ?? grpc?.port;
  const port = named === undefined ? undefined : portOf(named, context.container);
  if (port === undefined) return { ok: false, message: `the container has no port ${named ?? "to probe"}` };
  if (grpc !== undefined) return checkGrpc(context.address, port, grpc.service ?? "", timeoutMs);
  return checkTcp(tcpSocket?.host || context.address, port, timeoutMs);
}

function portOf(port: number | string, { ports = [] }: Container): number | undefined {
  if (typeof port === "number") return port;
  if (/^\d+$/.test(port)) return Number(port);
  return ports.find(({ name }) => name === port)?.containerPort;
}

function checkTcp(host: string, port: number, timeoutMs: number): Promise<CheckResult> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const finish = (ok: boolean, message: string) => {
      socket.destroy();
      resolve({ ok, message });
    };
    socket.setTimeout(timeoutMs, () => finish(false, `dial tcp ${host}:${port}: i/o timeout`));
    socket.on("connect", () => finish(true, "connected"));
    socket.on("error", (error) => finish(false, `dial tcp ${host}:${port}: ${error.message}`));
  });
}

type HttpGet = NonNullable<ProbeAction["httpGet"]>;

/** A path may be written as a person reads it; what a request line cannot carry is escaped. */
function encodePath(path: string): string {
  return path.replaceAll(/[^\u0021-\u007e]/gu, (sign) => encodeURIComponent(sign));
}

/** 200 to 399 is well; redirects are not followed, as one to another host counts as well too. */
function checkHttp(action: HttpGet, { container, address }: CheckContext, timeoutMs: number): Promise<CheckResult> {
  const port = portOf(action.port, container);
  if (port === undefined) return Promise.resolve({ ok: false, message: `the container has no port ${action.port}` });
  const host = action.host || address;
  const isTls = action.scheme === "HTTPS";
  const headers: Record<string, string> = { "User-Agent": "kube-probe/1.36", Accept: "*/*", Connection: "close" };
  for (const { name, value } of action.httpHeaders ?? []) headers[name] = value;
  const options = { host, port, path: encodePath(action.path || "/"), headers, agent: false, timeout: timeoutMs };
  return new Promise((resolve) => {
    const request = isTls ? https.get({ ...options, rejectUnauthorized: false }) : http.get(options);
    const deadline = setTimeout(() => request.destroy(new Error("Client.Timeout exceeded")), timeoutMs);
    request.on("timeout", () => request.destroy(new Error("Client.Timeout exceeded")));
    request.on("error", (error) => {
      clearTimeout(deadline);
      resolve({
        ok: false,
        message: `Get "${isTls ? "https" : "http"}://${host}:${port}${options.path}": ${error.message}`,
      });
    });
    request.on("response", (response) => {
      let seen = 0;
      response.on("data", (chunk: Buffer) => {
        seen += chunk.length;
        if (seen > longestBody) response.destroy();
      });
      response.on("error", () => {});
      response.on("close", () => {
        clearTimeout(deadline);
        const status = response.statusCode ?? 0;
        const ok = status >= 200 && status < 400;
        resolve({ ok, message: ok ? `${status}` : `HTTP probe failed with statuscode: ${status}` });
      });
    });
  });
}
