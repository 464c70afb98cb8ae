import type { FieldError } from "../../meta/field-error.ts";
import { duplicate, forbidden, invalids, invalidValue, required, unlessOneOf } from "../../meta/field-errors.ts";
import { checkLabel } from "../../meta/names.ts";
import type { KeyToPath, Volume, VolumeProjection } from "./kind.ts";

const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

export function validateVolumes(volumes: readonly Volume[], path: string): FieldError[] {
  const names = new Set<string>();
  return volumes.flatMap((volume, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    if (!volume.name) errors.push(required(`${at}.name`));
    else {
      errors.push(...invalids(`${at}.name`, volume.name, checkLabel(volume.name)));
      if (names.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name));
      names.add(volume.name);
    }
    return [...errors, ...validateSource(volume, at)];
  });
}

function validateSource(volume: Volume, path: string): FieldError[] {
  const given = Object.keys(volume).filter((key) => key !== "name");
  if (given.length === 0) return [required(path, "must specify a volume type")];
  const errors = given.slice(1).map((kind) => forbidden(`${path}.${kind}`, "may not specify more than 1 volume type"));
  const { hostPath, configMap, secret } = volume;
  if (hostPath !== undefined) {
    if (!hostPath.path) errors.push(required(`${path}.hostPath.path`));
    else if (hostPath.path.split("/").includes("..")) {
      errors.push(invalidValue(`${path}.hostPath.path`, hostPath.path, "must not contain '..'"));
    }
    errors.push(...unlessOneOf(`${path}.hostPath.type`, hostPath.type, hostPathTypes));
  }
  if (configMap !== undefined) {
    if (!configMap.name) errors.push(required(`${path}.configMap.name`));
    errors.push(...validateItems(configMap.items ?? [], `${path}.configMap.items`));
    errors.push(...validateMode(configMap.defaultMode, `${path}.configMap.defaultMode`));
  }
  if (secret !== undefined) {
    if (!secret.secretName) errors.push(required(`${path}.secret.secretName`));
    errors.push(...validateItems(secret.items ?? [], `${path}.secret.items`));
    errors.push(...validateMode(secret.defaultMode, `${path}.secret.defaultMode`));
  }
  for (const [index, source] of (volume.projected?.sources ?? []).entries()) {
    errors.push(...validateToken(source, `${path}.projected.sources[${index}].serviceAccountToken`));
  }
  return errors;
}

function validateToken({ serviceAccountToken: source }: VolumeProjection, at: string): FieldError[] {
  if (source === undefined) return [];
  const { path, expirationSeconds = 3600 } = source;
  const errors = validatePath(path, `${at}.path`);
  const wrong = (detail: string) => invalidValue(`${at}.expirationSeconds`, expirationSeconds, detail);
  if (expirationSeconds < 600) errors.push(wrong("may not specify a duration less than 10 minutes"));
  if (expirationSeconds > 2 ** 32) errors.push(wrong("may not specify a duration larger than 2^32 seconds"));
  return errors;
}

function validatePath(path: string, at: string): FieldError[] {
  if (!path) return [required(at)];
  if (path.startsWith("/")) return [invalidValue(at, path, "must be a relative path")];
  return path.split("/").includes("..") ? [invalidValue(at, path, "must not contain '..'")] : [];
}

function validateItems(items: readonly KeyToPath[], path: string): FieldError[] {
  return items.flatMap(({ key, path: file, mode }, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = key ? [] : [required(`${at}.key`)];
    return [...errors, ...validatePath(file, `${at}.path`), ...validateMode(mode, `${at}.mode`)];
  });
}

function validateMode(mode: number | undefined, path: string): FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return [];
  return [invalidValue(path, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}
