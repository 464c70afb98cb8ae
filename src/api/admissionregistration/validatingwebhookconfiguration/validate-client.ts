import type { FieldError } from "../../meta/field-error.ts";
import { invalidValue, required } from "../../meta/field-errors.ts";
import { checkPort, checkSubdomain } from "../../meta/names.ts";
import type { ServiceReference, WebhookClientConfig } from "./kind.ts";

const form = "; desired format: https://host[/path]";

/** Where a webhook is: at a URL or behind a Service (upstream's `ValidateWebhookURL` and `ValidateWebhookService`). */
export function validateClient({ url, service }: WebhookClientConfig, path: string): FieldError[] {
  if ((url === undefined) === (service === undefined)) {
    return [required(path, "exactly one of url or service is required")];
  }
  if (url !== undefined) return validateUrl(url, `${path}.url`);
  return service === undefined ? [] : validateService(service, `${path}.service`);
}

function validateUrl(text: string, path: string): FieldError[] {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text))
    return [invalidValue(path, "", `'https' is the only allowed URL scheme${form}`)];
  const url = URL.parse(text);
  if (url === null) return [required(path, `url must be a valid URL: ${JSON.stringify(text)} is none${form}`)];
  const errors: FieldError[] = [];
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== "https") errors.push(invalidValue(path, scheme, `'https' is the only allowed URL scheme${form}`));
  if (url.host === "") errors.push(invalidValue(path, "", `host must be specified${form}`));
  if (url.username !== "" || url.password !== "") {
    errors.push(invalidValue(path, url.username, "user information is not permitted in the URL"));
  }
  if (url.hash !== "") {
    errors.push(invalidValue(path, url.hash.slice(1), "fragments are not permitted in the URL"));
  }
  if (url.search !== "") {
    errors.push(invalidValue(path, url.search.slice(1), "query parameters are not permitted in the URL"));
  }
  return errors;
}

function validateService({ namespace, name, path = "", port = 0 }: ServiceReference, at: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!name) errors.push(required(`${at}.name`, "service name is required"));
  if (!namespace) errors.push(required(`${at}.namespace`, "service namespace is required"));
  const wrong = checkPort(port);
  if (wrong.length > 0) errors.push(invalidValue(`${at}.port`, port, `port is not valid: ${wrong.join(",")}`));
  return [...errors, ...validatePath(path, `${at}.path`)];
}

function validatePath(text: string, at: string): FieldError[] {
  if (text === "" || text === "/") return [];
  if (text === "//") return [invalidValue(at, text, "segment[0] may not be empty")];
  const errors: FieldError[] = [];
  if (!text.startsWith("/")) errors.push(invalidValue(at, text, "must start with a '/'"));
  const segments = text.slice(1).replace(/\/$/, "").split("/");
  for (const [index, segment] of segments.entries()) {
    if (segment === "") errors.push(invalidValue(at, text, `segment[${index}] may not be empty`));
    else for (const why of checkSubdomain(segment)) errors.push(invalidValue(at, text, `segment[${index}]: ${why}`));
  }
  return errors;
}
