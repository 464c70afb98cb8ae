/** One thing wrong with one field, in the words of apimachinery's `field.Error`; kubectl prints these as they stand. */
export interface FieldError {
  readonly type:
    | "Required"
    | "Invalid"
    | "NotSupported"
    | "Duplicate"
    | "Forbidden"
    | "NotFound"
    | "TooLong"
    | "TooMany"
    | "Internal";
  /** `spec.ports[0].nodePort` */
  readonly path: string;
  readonly value?: unknown;
  readonly detail: string;
}

const texts: Record<FieldError["type"], string> = {
  Required: "Required value",
  Invalid: "Invalid value",
  NotSupported: "Unsupported value",
  Duplicate: "Duplicate value",
  Forbidden: "Forbidden",
  NotFound: "Not found",
  TooLong: "Too long",
  TooMany: "Too many",
  Internal: "Internal error",
};

const reasons: Record<FieldError["type"], string> = {
  Required: "FieldValueRequired",
  Invalid: "FieldValueInvalid",
  NotSupported: "FieldValueNotSupported",
  Duplicate: "FieldValueDuplicate",
  Forbidden: "FieldValueForbidden",
  NotFound: "FieldValueNotFound",
  TooLong: "FieldValueTooLong",
  TooMany: "FieldValueTooMany",
  Internal: "InternalError",
};

/** The text after the path: `Invalid value: 70000: must be between 1 and 65535, inclusive`. */
export function fieldErrorText(error: FieldError): string {
  const words = texts[error.type];
  const showsValue = !["Required", "Forbidden", "TooLong", "TooMany", "Internal"].includes(error.type);
  const value = showsValue
    ? `: ${typeof error.value === "bigint" ? String(error.value) : JSON.stringify(error.value)}`
    : "";
  return `${words}${value}${error.detail === "" ? "" : `: ${error.detail}`}`;
}

/** The stable reason of a cause in `status.details.causes`. */
export function fieldErrorReason(error: FieldError): string {
  return reasons[error.type];
}
