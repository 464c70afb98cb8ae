import { responseFraming } from "#wire/http1/framing.ts";
import { problemOf } from "#wire/http1/problem.ts";
import { parseRequestHead } from "#wire/http1/request.ts";
import { maxResponseHeadBytes, parseResponseHead } from "#wire/http1/response.ts";
import type { ServeContext } from "../context.ts";
import type { Timed } from "../deadline.ts";
import type { Question, Reply } from "../filters/filter.ts";
import { BodyReader } from "../http1/body.ts";
import { copyRequestFields } from "../http1/compose-request.ts";
import { plainValue } from "../page.ts";
import type { Backend } from "../pool/backend.ts";
import type { Endpoint } from "../pool/endpoint.ts";
import type { Connecting, Connection, ConnectionHandler } from "../transport/connection.ts";
import { closeConnection, wordOf } from "./ending.ts";
import type { ClientRequest } from "./request.ts";

/** A longer body of a reply is not read to its end; its connection is closed instead. */
const mostBodyBytes = 64 * 1024;

/** Fields that belong to a body. */
const ofBody = ["content-length", "transfer-encoding"];

/**
 * Asks a backend on behalf of a request: its fields, without its body, through the same connections that requests go.
 * `done` gets the reply's head, or one word about why there is none. Returns how to give up.
 */
export function startSubrequest(
  context: ServeContext,
  request: ClientRequest,
  question: Question,
  done: (reply: Reply | string) => void,
): () => void {
  const backend = context.table.backends.get(question.backend);
  const endpoint = backend?.pick([], context.deadlines.now);
  if (backend === undefined || endpoint === undefined) {
    done("no endpoint");
    return () => {};
  }
  const call = new Subrequest(
    context,
    { backend, endpoint, question },
    composeQuestion(context, request, question),
    done,
  );
  call.begin();
  return () => call.giveUp();
}

function composeQuestion(context: ServeContext, request: ClientRequest, question: Question): Buffer {
  const { writer, requestHead: head } = context;
  const { bytes, headStart, headEnd } = request;
  const { body } = question;
  const names = new Set([
    "host",
    ...(body === undefined ? ofBody : []),
    ...question.fields.map(([name]) => name.toLowerCase()),
  ]);
  parseRequestHead(bytes, headStart, headEnd, head);
  writer.reset();
  writer.text(`${question.method} ${safeTarget(question.target)} HTTP/1.1\r\nHost: ${question.host}\r\n`);
  copyRequestFields(writer, bytes, head, headEnd, {
    has: (name) => names.has(name),
    hasLength: () => true,
    values: () => [],
  });
  for (const [name, value] of question.fields) writer.text(`${name}: ${plainValue(value)}\r\n`);
  writer.text("\r\n");
  return body === undefined ? Buffer.from(writer.view()) : Buffer.concat([writer.view(), body]);
}

/** Only what may stand in a request line, whatever a client put into the variables of it. */
function safeTarget(target: string): string {
  return target.replace(/[^!-~]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

class Subrequest implements ConnectionHandler, Timed {
  deadline = 0;
  private readonly context: ServeContext;
  private readonly endpoint: Endpoint;
  private readonly question: Question;
  private readonly bytes: Buffer;
  private readonly done: (reply: Reply | string) => void;
  private readonly body = new BodyReader();
  private connecting: Connecting | undefined;
  private connection: Connection | undefined;
  private isReused = false;
  private mayKeep = false;
  private partial: Buffer | undefined;
  private reply: Reply | undefined;
  private isOver = false;

  constructor(
    context: ServeContext,
    { endpoint, question }: { backend: Backend; endpoint: Endpoint; question: Question },
    bytes: Buffer,
    done: (reply: Reply | string) => void,
  ) {
    this.context = context;
    this.endpoint = endpoint;
    this.question = question;
    this.bytes = bytes;
    this.done = done;
  }

  begin(): void {
    this.context.deadlines.add(this);
    const { deadlines, limits } = this.context;
    // What cannot be sent twice goes out on a connection that was used a moment ago, or on a new one.
    const idle = this.endpoint.take(
      this.question.body === undefined ? 0 : deadlines.now + limits.upstreamIdleMs - 2000,
    );
    if (idle === undefined) this.connect();
    else this.send(idle, true);
  }

  giveUp(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.context.deadlines.delete(this);
    this.connecting?.cancel();
    if (this.connection !== undefined) closeConnection(this.connection);
  }

  private connect(): void {
    this.within(this.question.timeouts.connectMs);
    this.connecting = this.context.dialer.connect(this.endpoint, (result) => {
      this.connecting = undefined;
      if (result instanceof Error) this.fail(wordOf(result));
      else this.send(result, false);
    });
  }

  private send(connection: Connection, isReused: boolean): void {
    this.connection = connection;
    this.isReused = isReused;
    connection.handler = this;
    this.within(this.question.timeouts.readMs);
    connection.write(this.bytes);
  }

  private within(ms: number): void {
    this.deadline = this.context.deadlines.now + ms;
  }

  onDeadline(): void {
    this.fail("timed out");
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.reply !== undefined) {
      this.feed(bytes, start, end);
      return;
    }
    const whole = Buffer.concat([this.partial ?? Buffer.alloc(0), bytes.subarray(start, end)]);
    const { responseHead: head } = this.context;
    let from = 0;
    for (;;) {
      const at = parseResponseHead(whole, from, whole.length, head);
      if (at === 0 && whole.length - from < maxResponseHeadBytes) {
        this.partial = whole.subarray(from);
        return;
      }
      const framing = at > 0 ? responseFraming(whole, head, this.question.method === "HEAD") : at;
      if (framing < 0 || head.status === 101) {
        this.fail(framing < 0 ? problemOf(framing).message : "switched protocols");
        return;
      }
      from = at;
      if (head.status < 200) continue;
      this.mayKeep = head.minor === 1 ? !head.close : head.keepAlive;
      const fields = Array.from({ length: head.count }, (_, field) => {
        const name = whole.toString("latin1", head.nameStart(field), head.nameEnd(field));
        return [name.toLowerCase(), whole.toString("latin1", head.valueStart(field), head.valueEnd(field))] as const;
      });
      this.reply = { status: head.status, fields };
      this.body.begin(framing);
      this.feed(whole, at, whole.length);
      return;
    }
  }

  private feed(bytes: Buffer, start: number, end: number): void {
    const at = this.body.feed(bytes, start, end);
    const isBroken = at < 0 || this.body.bytes > mostBodyBytes;
    if (!isBroken && !this.body.done) this.within(this.question.timeouts.readMs);
    else this.finish(!isBroken && at === end && this.mayKeep);
  }

  private finish(keeps: boolean): void {
    const { connection, context, reply } = this;
    if (this.isOver || reply === undefined) return;
    this.isOver = true;
    context.deadlines.delete(this);
    if (connection !== undefined) {
      if (keeps && !connection.closed && !connection.blocked) {
        this.endpoint.give(connection, context.deadlines.now + context.limits.upstreamIdleMs);
      } else closeConnection(connection);
    }
    this.done(reply);
  }

  private fail(reason: string): void {
    if (this.isOver) return;
    this.giveUp();
    this.done(reason);
  }

  onEnd(): void {
    if (this.reply !== undefined && this.body.untilClose) this.finish(false);
    else this.lost("closed by the endpoint");
  }

  onDrain(): void {}

  onClose(error: NodeJS.ErrnoException | undefined): void {
    this.lost(error === undefined ? "closed by the endpoint" : wordOf(error));
  }

  private lost(reason: string): void {
    if (this.isOver) return;
    const { connection } = this;
    this.connection = undefined;
    if (connection !== undefined) closeConnection(connection);
    // An idle connection that was closed just now says nothing about the endpoint.
    const isUntouched = this.reply === undefined && this.partial === undefined;
    if (this.isReused && isUntouched && this.question.body === undefined) this.connect();
    else this.fail(reason);
  }
}
