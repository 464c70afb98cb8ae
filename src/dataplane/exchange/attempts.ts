import type { ServeContext } from "../context.ts";
import type { Backend } from "../pool/backend.ts";
import type { Endpoint } from "../pool/endpoint.ts";
import { defaultRetry } from "../retry.ts";
import type { RetryCondition, RetryRules } from "../table.ts";
import { KeptBody } from "./kept-body.ts";
import type { ClientRequest } from "./request.ts";
import type { Decision } from "./route-request.ts";

/** Methods that do the same when they are done twice (RFC 9110 section 9.2.2; WebDAV's of RFC 4918). */
const idempotent: ReadonlySet<string> = new Set(
  "GET HEAD OPTIONS PUT DELETE PROPFIND PROPPATCH MKCOL COPY MOVE UNLOCK SEARCH REPORT".split(" "),
);

/**
 * The endpoints that one request tries: who is next, and whether there may be a next one. A request that an endpoint may
 * have got is sent again only where that does no harm, where its body is still at hand, and within the backend's budget,
 * so that endpoints in trouble do not get a multiple of the load.
 */
export class Attempts {
  readonly tried: Endpoint[] = [];
  /** An endpoint may have got something of it. */
  wasSent = false;
  /** It would have been sent again but for the budget. */
  isOverBudget = false;
  private readonly context: ServeContext;
  private readonly request: ClientRequest;
  private readonly decision: Decision;
  private readonly backend: Backend;
  private readonly rules: RetryRules;
  private readonly begunAt: number;
  private readonly isSafe: boolean;
  /** All of the body is at hand, however long it is. */
  private readonly isGathered: boolean;
  private kept: KeptBody | undefined;
  private usesBudget = false;

  constructor(
    context: ServeContext,
    request: ClientRequest,
    decision: Decision,
    backend: Backend,
    isGathered: boolean,
  ) {
    this.context = context;
    this.request = request;
    this.decision = decision;
    this.backend = backend;
    this.rules = decision.route?.entry.retry ?? defaultRetry;
    this.isGathered = isGathered;
    this.begunAt = context.deadlines.now;
    const { method, upgrade, framing } = request;
    this.isSafe = !upgrade && (idempotent.has(method) || this.rules.on.includes("non_idempotent"));
    const { keepBytes, tries } = this.rules;
    if (isGathered) return;
    if (framing !== 0 && this.isSafe && keepBytes > 0 && tries > 1) this.kept = new KeptBody(keepBytes, context.kept);
  }

  /** Whether sending the request twice does no harm and is possible. */
  get isReplayable(): boolean {
    return this.isSafe && (this.isGathered || this.request.framing === 0 || this.kept?.isWhole === true);
  }

  /** Whether what happened to a try lets the request have another one. */
  mayFollow(condition: RetryCondition): boolean {
    const { on, withinMs } = this.rules;
    if (!on.includes(condition)) return false;
    if (withinMs > 0 && this.context.deadlines.now - this.begunAt >= withinMs) return false;
    return this.tried.length < Math.max(1, this.rules.tries) && (!this.wasSent || this.isReplayable);
  }

  /** Whether an answer of this status lets it go elsewhere. */
  mayFollowAnswer(status: number): boolean {
    return status >= 400 && this.mayFollow(`http_${status}`);
  }

  /**
   * The endpoint for the next try; `full` when there is one that has no room at the moment. One that was tried comes
   * again only with `again`, when there is no other.
   */
  next(again = false): Endpoint | "full" | undefined {
    const { backend, tried } = this;
    const { now } = this.context.deadlines;
    const preference = this.decision.live?.preference;
    const found = backend.pick(tried, now, preference) ?? (again ? backend.pick([], now, preference) : undefined);
    if (found === undefined) return backend.isFull(tried) ? "full" : undefined;
    return this.takeBudget() ? found : undefined;
  }

  private takeBudget(): boolean {
    if (!this.wasSent || this.usesBudget) return true;
    this.usesBudget = this.backend.retries.take();
    this.isOverBudget = !this.usesBudget;
    return this.usesBudget;
  }

  /** More of the body was sent. */
  keep(bytes: Buffer, start: number, end: number): void {
    this.kept?.add(bytes, start, end);
  }

  get body(): KeptBody | undefined {
    return this.kept;
  }

  end(): void {
    this.kept?.release();
    if (this.usesBudget) this.backend.retries.giveBack();
    this.usesBudget = false;
  }
}
