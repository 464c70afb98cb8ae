/** Why a store cannot do what it was asked; `message` names the file and what to do. */
export type StoreErrorCode = "locked" | "foreign" | "damaged" | "too-new" | "full" | "io" | "closed";

/** A store that could not be opened, or a write that was not made durable (and so did not happen). */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
