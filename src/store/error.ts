/** Why a store cannot do what it was asked; `message` names the file or the server and what to do. */
export type StoreErrorCode =
  | "locked"
  | "foreign"
  | "damaged"
  | "too-new"
  | "too-large"
  | "encrypted"
  | "full"
  | "io"
  | "unreachable"
  | "closed";

/**
 * A store that could not be opened, or a write that was not made durable. It did not happen; only when a server became
 * `unreachable`, or a disk failed while it synced, may it have.
 */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
