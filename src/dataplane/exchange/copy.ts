import type { ServeContext } from "../context.ts";
import type { Question } from "../filters/filter.ts";
import type { ClientRequest } from "./request.ts";
import { startSubrequest } from "./subrequest.ts";

/** A request with a longer body is not copied. */
export const mostCopiedBytes = 1 << 20;
/** Copies that one worker has under way; further requests are not copied. */
const mostAtOnce = 256;

const crlf = Buffer.from("\r\n", "latin1");

/** Gathers a request's body beside its way to the endpoint, and sends the copy once it is whole. Nothing waits for it. */
export class RequestCopy {
  private readonly context: ServeContext;
  private readonly request: ClientRequest;
  private readonly question: Question;
  private readonly parts: Buffer[] | undefined;
  private size = 0;
  private isOver = false;

  constructor(context: ServeContext, request: ClientRequest, question: Question, withBody: boolean) {
    this.context = context;
    this.request = request;
    this.question = question;
    this.parts = withBody ? [] : undefined;
  }

  /** Bytes of the body as they came, chunk framing included; `cut` when its trailers were left out. */
  add(bytes: Buffer, start: number, end: number, { last, cut }: { last: boolean; cut: boolean }): void {
    if (this.isOver) return;
    this.size += end - start;
    if (this.parts !== undefined && this.size > mostCopiedBytes) {
      this.isOver = true;
      return;
    }
    if (end > start) this.parts?.push(Buffer.from(bytes.subarray(start, end)));
    if (!last) return;
    this.isOver = true;
    if (cut) this.parts?.push(crlf);
    this.send();
  }

  private send(): void {
    const { tools } = this.context;
    if (tools.copies.underWay >= mostAtOnce) return;
    tools.copies.underWay += 1;
    const body = this.parts === undefined ? undefined : Buffer.concat(this.parts);
    startSubrequest(this.context, this.request, { ...this.question, ...(body === undefined ? {} : { body }) }, () => {
      tools.copies.underWay -= 1;
    });
  }
}
