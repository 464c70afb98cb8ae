import { findField } from "#wire/http1/head.ts";
import { parseRequestHead } from "#wire/http1/request.ts";
import type { RequestPath } from "#wire/http1/path.ts";
import type { ServeContext } from "../context.ts";
import { Edits } from "../filters/edits.ts";
import type { Backend } from "../pool/backend.ts";
import type { Endpoint } from "../pool/endpoint.ts";
import type { Preference } from "../pool/preference.ts";
import type { FilteredRequest, Question, Reply, Server } from "../filters/filter.ts";
import type { FilterTools } from "../filters/tools.ts";
import { hostName } from "../route.ts";
import type { Trace } from "../trace/span.ts";
import { RequestCopy } from "./copy.ts";
import type { ClientRequest } from "./request.ts";
import { startSubrequest } from "./subrequest.ts";

/** A request as the filters of its route see it. Made only for routes that have any. */
export class LiveRequest implements FilteredRequest {
  readonly method: string;
  readonly secure: boolean;
  readonly encrypted: boolean;
  readonly host: string;
  readonly authority: string;
  readonly target: string;
  readonly path: string;
  readonly query: string;
  readonly client: string;
  readonly groups: readonly (string | undefined)[] | undefined;
  rewritten: string | undefined;
  trace: Trace | undefined;
  /** The context's head table holds another request's head by now. */
  isStale = false;
  backend = "";
  preference: Preference | undefined;
  servedBy: Server | undefined;
  /** A copy of it that is being made. */
  copy: RequestCopy | undefined;
  private readonly context: ServeContext;
  private readonly request: ClientRequest;
  private toEndpoint: Edits | undefined;
  private toClient: Edits | undefined;
  private responding: ((status: number) => void)[] | undefined;
  private endings: (() => void)[] | undefined;

  constructor(
    context: ServeContext,
    request: ClientRequest,
    { path, query }: RequestPath,
    groups: readonly (string | undefined)[] | undefined,
  ) {
    this.context = context;
    this.request = request;
    this.method = request.method;
    this.secure = request.forwarding.secure;
    this.encrypted = request.encrypted;
    this.authority = request.forwarding.host ?? request.host;
    this.host = hostName(this.authority);
    this.target = request.target;
    this.path = path;
    this.query = query;
    this.client = request.forwarding.client;
    this.groups = groups;
  }

  field(name: string): string | undefined {
    const { bytes, headStart, headEnd } = this.request;
    const head = this.context.requestHead;
    if (this.isStale) parseRequestHead(bytes, headStart, headEnd, head);
    return findField(bytes, head, name);
  }

  get tools(): FilterTools {
    return this.context.tools;
  }

  get requestEdits(): Edits {
    return (this.toEndpoint ??= new Edits());
  }

  get responseEdits(): Edits {
    return (this.toClient ??= new Edits());
  }

  /** What filters asked for, `undefined` when it was nothing. */
  get requested(): Edits | undefined {
    return this.toEndpoint;
  }

  get answered(): Edits | undefined {
    return this.toClient;
  }

  ask(question: Question, done: (reply: Reply | string) => void): () => void {
    return startSubrequest(this.context, this.request, question, done);
  }

  prefer(preference: Preference): void {
    this.preference ??= preference;
  }

  /** It goes to this endpoint. */
  serveBy(endpoint: Endpoint, backend: Backend): void {
    const { preference } = this;
    if (preference === undefined) return;
    this.servedBy = {
      key: endpoint.key,
      isPreferred: backend.preferred(preference) === endpoint,
      leadsHere: (hash) => backend.preferred({ hash }) === endpoint,
    };
  }

  copyTo(question: Question, withBody: boolean): void {
    this.copy = new RequestCopy(this.context, this.request, question, withBody);
  }

  atResponse(call: (status: number) => void): void {
    (this.responding ??= []).push(call);
  }

  /** An answer with this status is about to go out. */
  respond(status: number): void {
    const { responding = [] } = this;
    this.responding = undefined;
    this.isStale = true;
    for (const call of responding) call(status);
  }

  atEnd(call: () => void): void {
    (this.endings ??= []).push(call);
  }

  end(): void {
    const { endings = [] } = this;
    this.endings = undefined;
    for (const call of endings) call();
  }
}
