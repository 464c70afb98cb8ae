import { chmodSync, rmSync } from "node:fs";
import http from "node:http";
import { Readable, type Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createWebSocketStream, WebSocketServer, type WebSocket } from "ws";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { ApiError } from "#api/meta/status.ts";
import { netnsFolder } from "../network/plan.ts";
import type { PodWorker } from "../pods/worker.ts";
import type { RuntimeService } from "../runtime/contract.ts";
import { attachTo, whyNoInput } from "./attach.ts";
import { startCommand, type Command } from "./command.ts";
import { renderLogs } from "./log-reader.ts";
import { portForwardProtocol, servePortForward, tunnelProtocol } from "./port-forward.ts";
import { parseStreamRequest, type PodName, type StreamRequest } from "./request.ts";
import { serveSpdyCommand, spdyCommandProtocols } from "./spdy-command.ts";
import { forwardProtocol, parsePorts, serveWebSocketForward } from "./websocket-forward.ts";
import { commandProtocols, serveWebSocketCommand } from "./websocket-command.ts";

export interface StreamsOptions {
  readonly socketPath: string;
  /** The pod's worker and the runtime that holds its containers. */
  readonly find: (namespace: string, name: string) => { worker: PodWorker; runtime: RuntimeService } | undefined;
  readonly log: Log;
  readonly clock: Clock;
}

/** No client sends more in one message. */
const longestMessage = 4 << 20;

/** Why a request cannot be served, as an answer. */
class Refusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Serves what the API server asks of a kubelet: logs, commands, and ports of pods. */
export async function startStreams(options: StreamsOptions): Promise<{ stop(): Promise<void> }> {
  const { socketPath, find, log, clock } = options;
  const connections = new Set<Duplex>();
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: chooseProtocol, maxPayload: longestMessage });

  function locate({ namespace, name }: PodName) {
    const found = find(namespace, name);
    if (found === undefined) throw new Refusal(404, `pod ${namespace}/${name} is not on this machine`);
    return found;
  }

  /** The container a request means, running unless it asks for a log. */
  function containerOf(request: Exclude<StreamRequest, { verb: "portForward" }>) {
    const { worker, runtime } = locate(request.pod);
    const isLog = request.verb === "containerLogs";
    const previous = isLog && request.logs.previous;
    const id = worker.containerId(request.container, previous);
    const info = id === undefined ? undefined : runtime.container(id);
    const where = `container "${request.container}" in pod "${request.pod.name}"`;
    if (info === undefined) {
      if (previous) throw new Refusal(400, `previous terminated ${where} not found`);
      const statuses = [
        ...(worker.pod().status?.initContainerStatuses ?? []),
        ...(worker.pod().status?.containerStatuses ?? []),
      ];
      const state = statuses.find(({ name }) => name === request.container)?.state;
      const reason = state?.waiting?.reason ?? state?.terminated?.message ?? "ContainerCreating";
      throw new Refusal(400, `${where} is waiting to start: ${reason}`);
    }
    if (!isLog && info.state !== "running") throw new Refusal(400, `${where} is not running`);
    return { runtime, info };
  }

  async function sendLogs(request: Extract<StreamRequest, { verb: "containerLogs" }>, response: http.ServerResponse) {
    const { runtime, info } = containerOf(request);
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const text = renderLogs(
      {
        path: runtime.logPath(info.id),
        clock,
        signal: gone.signal,
        isOver: () => runtime.container(info.id)?.state !== "running",
        onOver: (callback) => runtime.onExit(callback),
      },
      request.logs,
    );
    response.writeHead(200, { "content-type": "text/plain", "transfer-encoding": "chunked" });
    response.flushHeaders();
    // A reader that goes away in the middle is no failure.
    await pipeline(Readable.from(text, { objectMode: true }), response).catch(() => {});
  }

  function start(request: Extract<StreamRequest, { verb: "exec" | "attach" }>): () => Promise<Command> {
    const { runtime, info } = containerOf(request);
    if (request.verb === "attach") {
      const problem = whyNoInput(info, request.streams);
      if (problem !== undefined) throw new Refusal(400, problem);
      return () => Promise.resolve(attachTo(runtime, info, request.streams, clock));
    }
    if (request.command.length === 0) throw new Refusal(400, "you must specify at least 1 command for the container");
    return () => startCommand(runtime, info.id, request.command, request.streams);
  }

  async function upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const asked = parseStreamRequest(request.url ?? "", clock.now());
    if (asked === undefined || asked.verb === "containerLogs") throw new Refusal(404, "404 page not found");
    const isSpdy = /^spdy\/3\.1$/i.test(request.headers.upgrade ?? "");
    if (asked.verb === "portForward") {
      const { worker, runtime } = locate(asked.pod);
      const sandbox = runtime
        .listSandboxes()
        .find(({ config, state }) => config.uid === worker.uid && state === "ready");
      if (sandbox === undefined) throw new Refusal(400, `pod ${asked.pod.name} is not running`);
      const netns = sandbox.netns.startsWith(netnsFolder) ? sandbox.netns : `${netnsFolder}/${sandbox.netns}`;
      const target = { address: sandbox.address, netns };
      if (isSpdy) {
        acceptSpdy(request, socket, head, [portForwardProtocol]);
        return servePortForward(socket, target, log);
      }
      if (!splitList(request.headers["sec-websocket-protocol"]).includes(tunnelProtocol)) {
        return acceptForward(request, socket, head, asked.query, (client, ports) =>
          serveWebSocketForward(client, ports, target, log),
        );
      }
      return acceptTunnel(request, socket, head, (tunnel) => servePortForward(tunnel, target, log));
    }
    const begin = start(asked);
    if (isSpdy) {
      acceptSpdy(request, socket, head, spdyCommandProtocols);
      return serveSpdyCommand(socket, asked.streams, clock, begin);
    }
    const webSocket = await acceptWebSocket(request, socket, head);
    return serveWebSocketCommand(webSocket, begin);
  }

  function acceptWebSocket(request: http.IncomingMessage, socket: Duplex, head: Buffer): Promise<WebSocket> {
    return new Promise((resolve) => {
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        // A frame that is none may come before anybody else listens; its sender is not waited for.
        webSocket.on("error", () => webSocket.terminate());
        resolve(webSocket);
      });
    });
  }

  /** The form of the time before the tunnel, which clients other than kubectl still speak. */
  async function acceptForward(
    request: http.IncomingMessage,
    socket: Duplex,
    head: Buffer,
    query: URLSearchParams,
    serve: (client: WebSocket, ports: readonly number[]) => Promise<void>,
  ): Promise<void> {
    const offered = splitList(request.headers["sec-websocket-protocol"]);
    if (!offered.includes(forwardProtocol))
      throw new Refusal(403, `the subprotocol must be ${tunnelProtocol} or ${forwardProtocol}`);
    const ports = portsOf(query);
    request.headers["sec-websocket-protocol"] = forwardProtocol;
    await serve(await acceptWebSocket(request, socket, head), ports);
  }

  /** The tunnel's protocol has a slash in its name, which RFC 6455 does not allow and `ws` refuses: it is set by hand. */
  async function acceptTunnel(
    request: http.IncomingMessage,
    socket: Duplex,
    head: Buffer,
    serve: (tunnel: Duplex) => Promise<void>,
  ): Promise<void> {
    delete request.headers["sec-websocket-protocol"];
    tunnels.add(request);
    const webSocket = await acceptWebSocket(request, socket, head);
    await serve(createWebSocketStream(webSocket, { allowHalfOpen: false }));
    webSocket.close(1000);
  }
  const tunnels = new WeakSet<http.IncomingMessage>();
  sockets.on("headers", (headers, request) => {
    if (tunnels.has(request)) headers.push(`Sec-WebSocket-Protocol: ${tunnelProtocol}`);
  });

  const server = http.createServer((request, response) => {
    const asked = parseStreamRequest(request.url ?? "", clock.now());
    const answer = async () => {
      if (asked === undefined) throw new Refusal(404, "404 page not found");
      if (asked.verb !== "containerLogs") throw new Refusal(400, "Upgrade request required");
      await sendLogs(asked, response);
    };
    answer().catch((error: unknown) => {
      const { code, message } = refusalOf(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(code, { "content-type": "application/json" }).end(renderStatus(code, message));
    });
  });
  server.on("upgrade", (request, socket, head) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    socket.on("error", () => socket.destroy());
    upgrade(request, socket, head).catch((error: unknown) => {
      const { code, message } = refusalOf(error);
      const body = renderStatus(code, message);
      if (code === 500) log.warn({ error: message }, "a streaming request failed");
      const length = Buffer.byteLength(body);
      socket.end(
        `HTTP/1.1 ${code} ${http.STATUS_CODES[code]}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`,
      );
    });
  });
  rmSync(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, resolve);
  });
  server.on("error", (error) => log.warn({ error: error.message }, "a streaming connection could not be taken"));
  chmodSync(socketPath, 0o600);
  return {
    stop: () =>
      new Promise((resolve) => {
        for (const connection of connections) connection.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function portsOf(query: URLSearchParams): number[] {
  try {
    return parsePorts(query);
  } catch (error) {
    throw new Refusal(400, (error as Error).message);
  }
}

function refusalOf(error: unknown): { code: number; message: string } {
  if (error instanceof Refusal) return { code: error.code, message: error.message };
  return { code: 500, message: error instanceof Error ? error.message : String(error) };
}

/** The answer as a Status, which the API server hands on as it is and kubectl prints. */
function renderStatus(code: number, message: string): string {
  const reason = code === 404 ? "NotFound" : code === 500 ? "InternalError" : code === 403 ? "Forbidden" : "BadRequest";
  return `${JSON.stringify(new ApiError(reason, message, undefined, code).toStatus())}\n`;
}

function splitList(value: string | string[] | undefined): string[] {
  return [value ?? []].flat().flatMap((text) => text.split(",").map((word) => word.trim()));
}

function chooseProtocol(offered: Set<string>): string | false {
  return commandProtocols.find((protocol) => offered.has(protocol)) ?? false;
}

/** Switches the connection to SPDY with a stream protocol that both know. */
function acceptSpdy(request: http.IncomingMessage, socket: Duplex, head: Buffer, known: readonly string[]): void {
  const offered = splitList(request.headers["x-stream-protocol-version"]);
  const chosen = known.find((protocol) => offered.includes(protocol));
  if (chosen === undefined) throw new Refusal(403, `unable to upgrade: none of ${offered.join(", ")} is known`);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${chosen}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
}
