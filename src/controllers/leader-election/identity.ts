import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

/** `HOST_UUID`, as upstream's components name themselves: each start is another candidate. */
export function electionIdentity(): string {
  return `${hostname()}_${randomUUID()}`;
}
