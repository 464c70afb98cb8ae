import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { UserInfo } from "#api/admission.ts";
import type { ServedKind } from "#api/kinds.ts";
import type { Log } from "#base/log.ts";
import type { Authenticate } from "../auth/authenticate.ts";
import type { Authorizer } from "../auth/authorize.ts";
import type { AccountTokens } from "../auth/tokens/accounts.ts";
import type { ByteBudget } from "./body.ts";
import type { Registry } from "../registry/registry.ts";

/** What every request is answered with. */
export interface Parts {
  readonly registry: Registry;
  readonly authenticate: Authenticate;
  readonly authorizer: Authorizer;
  readonly accounts: AccountTokens;
  readonly served: readonly ServedKind[];
  readonly log: Log;
  /** What bodies may take. */
  readonly bodies: ByteBudget;
  /** A client that takes nothing of a long answer for so long is cut off. */
  readonly stalledMs: number;
  readonly connectNode: ((nodeName: string) => Promise<Duplex>) | undefined;
  /** Ends of the long answers now open (watches); called when the server stops. */
  readonly open: Set<() => void>;
  /** Writes everything in the store into one new file, where the store can. */
  readonly backup: ((path: string) => Promise<void>) | undefined;
  /** True once the server stops: what is being answered goes on, nothing new is begun. */
  readonly isStopping: () => boolean;
}

/** One request and its answer, after authentication. */
export interface Exchange {
  readonly parts: Parts;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** As sent, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
  /** Texts for `Warning:` headers. */
  readonly warnings: Set<string>;
}
