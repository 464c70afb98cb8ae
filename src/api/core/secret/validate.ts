import type { FieldError } from "../../meta/field-error.ts";
import { immutable, invalids, invalidValue, required, tooLong } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkConfigKey } from "../../meta/names.ts";
import { dataLimit, validateFrozen } from "../configmap/validate.ts";
import type { Secret } from "./kind.ts";

const accountAnnotation = "kubernetes.io/service-account.name";

export function validateSecret(secret: Secret): FieldError[] {
  const errors = validateMetadata(secret, true);
  let size = 0;
  for (const [key, value] of Object.entries(secret.data ?? {})) {
    errors.push(...invalids(`data[${key}]`, key, checkConfigKey(key)));
    size += Buffer.byteLength(value, "base64");
  }
  if (size > dataLimit) errors.push(tooLong("data", dataLimit));
  return [...errors, ...validateByType(secret)];
}

/** What each of the built-in types must hold. */
function validateByType({ type, data = {}, metadata }: Secret): FieldError[] {
  const missing = (...keys: string[]) => keys.filter((key) => data[key] === undefined);
  switch (type) {
    case "kubernetes.io/tls":
      return missing("tls.crt", "tls.key").map((key) => required(`data[${key}]`));
    case "kubernetes.io/basic-auth":
      return missing("username", "password").length === 2
        ? [required("data[username]"), required("data[password]")]
        : [];
    case "kubernetes.io/ssh-auth":
      return data["ssh-privatekey"] ? [] : [required("data[ssh-privatekey]")];
    case "kubernetes.io/dockerconfigjson":
      return validateJson(".dockerconfigjson", data[".dockerconfigjson"]);
    case "kubernetes.io/dockercfg":
      return validateJson(".dockercfg", data[".dockercfg"]);
    case "kubernetes.io/service-account-token":
      return metadata.annotations?.[accountAnnotation] ? [] : [required(`metadata.annotations[${accountAnnotation}]`)];
    default:
      return [];
  }
}

function validateJson(key: string, value: string | undefined): FieldError[] {
  if (value === undefined) return [required(`data[${key}]`)];
  try {
    JSON.parse(Buffer.from(value, "base64").toString());
    return [];
  } catch {
    // The content is secret and stays out of the message.
    return [invalidValue(`data[${key}]`, "<secret contents redacted>", "invalid character in JSON")];
  }
}

export function validateSecretUpdate(next: Secret, before: Secret): FieldError[] {
  return [
    ...validateMetadataUpdate(next, before),
    ...immutable("type", next.type, before.type),
    ...validateFrozen(next, before, ["data"]),
  ];
}
