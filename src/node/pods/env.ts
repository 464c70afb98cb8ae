import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Container, EnvVar, Pod } from "#api/core/pod/kind.ts";
import type { Secret } from "#api/core/secret/kind.ts";
import { expand } from "./expand.ts";
import { readField, readResource, type PodFacts } from "./fields.ts";

/** Where values come from; all lookups are in the pod's namespace. */
export interface EnvSources {
  readonly pod: Pod;
  readonly facts: PodFacts;
  readonly services: ReadonlyMap<string, string>;
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

export type EnvOutcome =
  | { readonly ok: true; readonly env: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly message: string };

/** A value that is needed and is not there. */
class MissingValue extends Error {}

/**
 * A container's variables: those of its Services, then `envFrom`, then `env`, each overriding the ones before, with
 * `$(NAME)` in values expanded from what stands before it (`kubelet_pods.go makeEnvironmentVariables`). Pure.
 */
export function compileEnv(container: Container, sources: EnvSources): EnvOutcome {
  const { services } = sources;
  try {
    const own = new Map<string, string>();
    for (const source of container.envFrom ?? []) {
      for (const [key, value] of readAll(source, sources)) own.set((source.prefix ?? "") + key, value);
    }
    for (const variable of container.env ?? []) {
      const value = valueOf(variable, container, own, sources);
      if (value !== undefined) own.set(variable.name, value);
    }
    return { ok: true, env: new Map([...services, ...own]) };
  } catch (error) {
    if (error instanceof MissingValue) return { ok: false, message: error.message };
    throw error;
  }
}

function readAll(
  { configMapRef, secretRef }: NonNullable<Container["envFrom"]>[number],
  sources: EnvSources,
): [string, string][] {
  if (configMapRef !== undefined) {
    const found = sources.configMap(configMapRef.name);
    if (found === undefined && !configMapRef.optional)
      throw new MissingValue(`configmap "${configMapRef.name}" not found`);
    return Object.entries(found?.data ?? {});
  }
  if (secretRef !== undefined) {
    const found = sources.secret(secretRef.name);
    if (found === undefined && !secretRef.optional) throw new MissingValue(`secret "${secretRef.name}" not found`);
    return Object.entries(found?.data ?? {}).map(([key, value]) => [key, decode(value)]);
  }
  return [];
}

function valueOf(
  { name, value, valueFrom }: EnvVar,
  container: Container,
  own: ReadonlyMap<string, string>,
  sources: EnvSources,
): string | undefined {
  if (valueFrom === undefined) {
    return expand(value ?? "", (reference) => own.get(reference) ?? sources.services.get(reference));
  }
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef !== undefined) {
    const text = readField(sources.pod, sources.facts, fieldRef.fieldPath);
    if (text === undefined) throw new MissingValue(`env ${name}: the downward API has no field ${fieldRef.fieldPath}`);
    return text;
  }
  if (resourceFieldRef !== undefined) {
    const { containers, initContainers = [] } = sources.pod.spec;
    const named = [...containers, ...initContainers].find((one) => one.name === resourceFieldRef.containerName);
    const text = readResource(named ?? container, sources.facts, resourceFieldRef);
    if (text === undefined) throw new MissingValue(`env ${name}: there is no resource ${resourceFieldRef.resource}`);
    return text;
  }
  if (configMapKeyRef !== undefined) {
    const map = sources.configMap(configMapKeyRef.name);
    return required("configmap", configMapKeyRef, map !== undefined, map?.data?.[configMapKeyRef.key]);
  }
  if (secretKeyRef !== undefined) {
    const secret = sources.secret(secretKeyRef.name);
    const encoded = secret?.data?.[secretKeyRef.key];
    return required("secret", secretKeyRef, secret !== undefined, encoded === undefined ? undefined : decode(encoded));
  }
  return undefined;
}

function required(
  kind: "configmap" | "secret",
  { name, key, optional }: { name: string; key: string; optional?: boolean },
  exists: boolean,
  value: string | undefined,
): string | undefined {
  if (value !== undefined || optional) return value;
  if (!exists) throw new MissingValue(`${kind} "${name}" not found`);
  throw new MissingValue(`couldn't find key ${key} in ${kind === "secret" ? "Secret" : "ConfigMap"} ${name}`);
}

function decode(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}
