import type { LookupFunction } from "node:net";
import type { BackendEndpoint, BackendEntry, HealthCheck } from "../table.ts";
import { askGrpc } from "./grpc.ts";
import { askHttp } from "./http.ts";
import { askTcp } from "./tcp.ts";

/** What is asked, and how. */
export interface Asked {
  readonly endpoint: BackendEndpoint;
  readonly protocol: BackendEntry["protocol"];
  readonly serverName: string | undefined;
  readonly check: HealthCheck;
  readonly lookup: LookupFunction;
}

/** Tells what is wrong, `undefined` for nothing. Called once, unless the asking was given up. */
export type Heard = (problem: string | undefined) => void;

/** Asks an endpoint how it is; returns how to give up. How long it may take is the caller's matter. */
export type Probe = (asked: Asked, heard: Heard) => () => void;

export const probe: Probe = (asked, heard) => {
  let isOver = false;
  const end = (call: () => void) => {
    if (isOver) return;
    isOver = true;
    call();
  };
  const ask = { tcp: askTcp, http: askHttp, grpc: askGrpc }[asked.check.type];
  try {
    const cancel = ask(asked, (problem) => end(() => heard(problem)));
    return () => end(cancel);
  } catch (error) {
    // What cannot even be written, such as a path with a line break.
    queueMicrotask(() => end(() => heard(`cannot be asked: ${(error as Error).message}`)));
    return () => end(() => {});
  }
};
