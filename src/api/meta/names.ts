/**
 * The syntax of names, labels and ports, with the messages of apimachinery's `util/validation`. Each function returns
 * what is wrong with a value, and nothing when it is right.
 */
const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const qualified = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

const labelPattern = new RegExp(`^${label}$`);
const subdomainPattern = new RegExp(`^${subdomain}$`);
const wildcardPattern = new RegExp(`^\\*\\.${subdomain}$`);
const qualifiedPattern = new RegExp(`^${qualified}$`);

type Messages = string[];

function hint(message: string, pattern: string, ...examples: string[]): string {
  const shown = examples.map((example) => `'${example}'`).join(",  or ");
  return `${message} (e.g. ${shown}, regex used for validation is '${pattern}')`;
}

function tooLong(value: string, limit: number): Messages {
  return Buffer.byteLength(value) > limit ? [`must be no more than ${limit} bytes`] : [];
}

/** RFC 1123: the name of a Namespace, a Service, a container. */
export function checkLabel(value: string): Messages {
  const errors = tooLong(value, 63);
  if (labelPattern.test(value)) return errors;
  // A valid subdomain that is no label can only be wrong for its dots.
  if (subdomainPattern.test(value)) return [...errors, "must not contain dots"];
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " +
    "and must start and end with an alphanumeric character";
  return [...errors, hint(message, label, "my-name", "123-abc")];
}

/** RFC 1123: the name of most kinds, and of hosts. */
export function checkSubdomain(value: string): Messages {
  const errors = tooLong(value, 253);
  if (subdomainPattern.test(value)) return errors;
  const message =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
    "and must start and end with an alphanumeric character";
  return [...errors, hint(message, subdomain, "example.com")];
}

/** A name that has only to stand between two slashes of a path, as roles have it (`IsValidPathSegmentName`). */
export function checkPathSegment(value: string): Messages {
  if (value === "." || value === "..") return [`may not be '${value}'`];
  return ["/", "%"].filter((sign) => value.includes(sign)).map((sign) => `may not contain '${sign}'`);
}

/** `*.example.com` */
export function checkWildcard(value: string): Messages {
  const errors = tooLong(value, 253);
  if (wildcardPattern.test(value)) return errors;
  const message =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, " +
    "which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  return [...errors, hint(message, `\\*\\.${subdomain}`, "*.example.com")];
}

const qualifiedMessage =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/** A label key, a finalizer, a class: `name` or `example.com/name`. */
export function checkQualifiedName(value: string): Messages {
  const parts = value.split("/");
  if (parts.length > 2) {
    const text = hint(`a qualified name ${qualifiedMessage}`, qualified, "MyName", "my.name", "123-abc");
    return [`${text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const errors: Messages = [];
  const [prefix, name = ""] = parts.length === 2 ? parts : [undefined, value];
  if (prefix === "") errors.push("prefix part must be non-empty");
  else if (prefix !== undefined) errors.push(...checkSubdomain(prefix).map((message) => `prefix part ${message}`));
  if (name === "") errors.push("name part must be non-empty");
  else errors.push(...tooLong(name, 63).map((message) => `name part ${message}`));
  if (!qualifiedPattern.test(name)) {
    errors.push(`name part ${hint(qualifiedMessage, qualified, "MyName", "my.name", "123-abc")}`);
  }
  return errors;
}

export function checkLabelValue(value: string): Messages {
  const errors = tooLong(value, 63);
  if (value === "" || qualifiedPattern.test(value)) return errors;
  const message =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', " +
    "and must start and end with an alphanumeric character";
  return [...errors, hint(message, `(${qualified})?`, "MyValue", "my_value", "12345")];
}

/** `example.com/controller`, as the controller of an IngressClass (`IsDomainPrefixedPath`). */
export function checkDomainPath(value: string): Messages {
  if (value === "") return ["must not be empty"];
  const slash = value.indexOf("/");
  if (slash <= 0 || slash === value.length - 1) {
    return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  }
  const prefix = checkSubdomain(value.slice(0, slash));
  if (prefix.length > 0) return prefix;
  const path = value.slice(slash + 1);
  const pattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
  return new RegExp(`^${pattern}$`).test(path) ? [] : [hint("Invalid path", pattern)];
}

/** 1 to 65535. */
export function checkPort(value: number): Messages {
  return Number.isInteger(value) && value >= 1 && value <= 65_535 ? [] : ["must be between 1 and 65535, inclusive"];
}

/** RFC 6335 section 5.1: the name of a port. */
export function checkPortName(value: string): Messages {
  const errors: Messages = value.length > 15 ? ["must be no more than 15 characters"] : [];
  if (!/^[-a-z0-9]+$/.test(value)) {
    errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(value)) errors.push("must contain at least one letter (a-z)");
  if (value.includes("--")) errors.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) errors.push("must not begin or end with a hyphen");
  return errors;
}

/** A key of a ConfigMap or a Secret. */
export function checkConfigKey(value: string): Messages {
  const errors = tooLong(value, 253);
  if (!/^[-._a-zA-Z0-9]+$/.test(value)) {
    const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    errors.push(hint(message, "[-._a-zA-Z0-9]+", "key.name", "KEY_NAME", "key-name"));
  }
  if (value === ".") errors.push("must not be '.'");
  else if (value === "..") errors.push("must not be '..'");
  else if (value.startsWith("..")) errors.push("must not start with '..'");
  return errors;
}

/** The name of an environment variable, in the wide sense that containers have had since 1.32. */
export function checkEnvName(value: string): Messages {
  if (/^[ -<>-~]+$/.test(value)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

export function checkHeaderName(value: string): Messages {
  if (/^[-A-Za-z0-9]+$/.test(value)) return [];
  return [hint("a valid HTTP header must consist of alphanumeric characters or '-'", "[-A-Za-z0-9]+", "X-Header-Name")];
}
