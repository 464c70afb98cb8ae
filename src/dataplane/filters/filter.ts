import type { Answer } from "../page.ts";
import type { Preference } from "../pool/preference.ts";
import type { Timeouts } from "../table.ts";
import type { Trace } from "../trace/span.ts";
import type { Edits } from "./edits.ts";
import type { FilterTools } from "./tools.ts";

/** What a filter sees and may change of a request. Strings of the request hold one character a byte. */
export interface FilteredRequest {
  readonly method: string;
  /** Whether the client came over TLS, or a trusted proxy says so. */
  readonly secure: boolean;
  /** The client's connection to us is TLS, whatever a trusted proxy says of its own. */
  readonly encrypted: boolean;
  /** Without port. */
  readonly host: string;
  /** The Host as it came, or empty. */
  readonly authority: string;
  /** Path and query as they came. */
  readonly target: string;
  /** The normalised path as text. */
  readonly path: string;
  readonly query: string;
  /** The client's address: the peer's, or whom a trusted proxy speaks for. */
  readonly client: string;
  /** The groups of a regex route. */
  readonly groups: readonly (string | undefined)[] | undefined;
  /** Path and query for the endpoint, when it is not `target`. */
  rewritten: string | undefined;
  /** The trace that it belongs to; absent where it is not traced. */
  trace: Trace | undefined;
  /** The value of a field by its lower-case name; several lines are joined by commas. */
  field(name: string): string | undefined;
  /** Changes of the fields that go to the endpoint, for this request alone; they win over the route's. */
  readonly requestEdits: Edits;
  /** The same for the answer, whoever gives it. */
  readonly responseEdits: Edits;
  /** Asks another backend about this request; returns how to give up. `done` gets a word when there is no reply. */
  ask(question: Question, done: (reply: Reply | string) => void): () => void;
  /** The id of the backend that it goes to; empty when it goes to none. */
  readonly backend: string;
  /** Which endpoint it would have; the first to say so is heard. */
  prefer(preference: Preference): void;
  /** The endpoint that it went to. */
  readonly servedBy: Server | undefined;
  /** A copy of it is to go there. */
  copyTo(question: Question, withBody: boolean): void;
  /** Called before the answer's head goes out, whoever gives it. */
  atResponse(call: (status: number) => void): void;
  /** What all routes of the worker share. */
  readonly tools: FilterTools;
  /** Called when the request is over, however it ended. */
  atEnd(call: () => void): void;
}

/** An endpoint as a filter sees it. */
export interface Server {
  /** Tells it from the others of its backend. */
  readonly key: string;
  /** It is the one that the request preferred. */
  readonly isPreferred: boolean;
  /** Whether this text, hashed, would prefer it. */
  leadsHere: (text: string) => boolean;
}

/** A request to another backend, with the fields of the one it is about. */
export interface Question {
  /** The id of a backend of the table. */
  readonly backend: string;
  readonly method: string;
  readonly host: string;
  /** Path and query. */
  readonly target: string;
  /** In place of the request's own. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly timeouts: Timeouts;
  /** The request's body as it came, framed as the request's fields say; none when absent. */
  readonly body?: Buffer;
}

export interface Reply {
  readonly status: number;
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** An answer of a filter; `reason` makes it a failure that is remembered. */
export interface FilterAnswer extends Answer {
  readonly reason?: string;
}

/**
 * Something that a request has to wait for. `start` is called once; `done` may be called before it returned. What it
 * returns gives up.
 */
export interface Later {
  start(done: (answer: FilterAnswer | undefined) => void): () => void;
}

/** One step before a request goes to its backend. An answer ends it. */
export type RequestFilter = (request: FilteredRequest) => FilterAnswer | undefined;

/** Lets a request in or answers it, now or later. Asked only when there is somebody to serve it. */
export type Guard = (request: FilteredRequest) => FilterAnswer | Later | undefined;

export interface FieldEdit {
  /** As it is to be written. */
  readonly name: string;
  /** `undefined` removes. */
  readonly value: string | undefined;
}

/** Changes to the fields of a head: those of these names are left out, and these written instead. */
export interface FieldEdits {
  /** By lower-case name. */
  has(name: string): boolean;
  /** Whether any name has this length: most fields need not be looked at closer. */
  hasLength(length: number): boolean;
  values(): Iterable<FieldEdit>;
}
