import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { DownwardItem, KeyToPath, Pod, Volume, VolumeProjection } from "#api/core/pod/kind.ts";
import type { Secret } from "#api/core/secret/kind.ts";
import { readField, readResource, type PodFacts } from "./fields.ts";

/** One file of a volume that is made from objects; the path is relative and stays inside. */
export interface VolumeFile {
  readonly path: string;
  readonly bytes: Buffer;
  readonly mode: number;
}

export interface VolumeSources {
  readonly pod: Pod;
  readonly facts: PodFacts;
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  /** A service account token, where the agent can get one; `undefined` as long as it has not. */
  token?(source: NonNullable<VolumeProjection["serviceAccountToken"]>): string | undefined;
}

export type VolumeOutcome =
  | { readonly ok: true; readonly files: readonly VolumeFile[] }
  | { readonly ok: false; readonly message: string };

class MissingSource extends Error {}

/** The files of a configMap, secret, downwardAPI or projected volume; `undefined` for the other kinds. Pure. */
export function compileVolume(volume: Volume, sources: VolumeSources): VolumeOutcome | undefined {
  const projected = sourcesOf(volume);
  if (projected === undefined) return undefined;
  try {
    const files = projected.list.flatMap((source) => filesOf(source, projected.mode, sources));
    const last = new Map(files.map((file) => [file.path, file]));
    for (const { path } of files) {
      if (path === "" || path.startsWith("/") || path.split("/").includes("..")) {
        return { ok: false, message: `volume ${volume.name}: the path ${JSON.stringify(path)} leaves the volume` };
      }
    }
    return { ok: true, files: [...last.values()] };
  } catch (error) {
    if (error instanceof MissingSource) return { ok: false, message: `volume ${volume.name}: ${error.message}` };
    throw error;
  }
}

function sourcesOf(volume: Volume): { list: VolumeProjection[]; mode: number } | undefined {
  const mode = (asked: number | undefined) => asked ?? 0o644;
  if (volume.configMap !== undefined) {
    return { list: [{ configMap: volume.configMap }], mode: mode(volume.configMap.defaultMode) };
  }
  if (volume.secret !== undefined) {
    const { secretName, ...rest } = volume.secret;
    return { list: [{ secret: { name: secretName, ...rest } }], mode: mode(volume.secret.defaultMode) };
  }
  if (volume.downwardAPI !== undefined) {
    return { list: [{ downwardAPI: volume.downwardAPI }], mode: mode(volume.downwardAPI.defaultMode) };
  }
  if (volume.projected !== undefined) {
    const list = volume.projected.sources ?? [];
    return { list, mode: mode(volume.projected.defaultMode) };
  }
  return undefined;
}

function filesOf(source: VolumeProjection, mode: number, sources: VolumeSources): VolumeFile[] {
  const files: VolumeFile[] = [];
  if (source.configMap !== undefined) {
    const { name, items, optional = false } = source.configMap;
    const map = sources.configMap(name);
    if (map === undefined && !optional) throw new MissingSource(`configmap "${name}" not found`);
    const data = new Map(Object.entries(map?.data ?? {}).map(([key, text]) => [key, Buffer.from(text)]));
    for (const [key, text] of Object.entries(map?.binaryData ?? {})) data.set(key, Buffer.from(text, "base64"));
    files.push(...choose(data, items, optional, mode, `configmap "${name}"`));
  }
  if (source.secret !== undefined) {
    const { name, items, optional = false } = source.secret;
    const secret = sources.secret(name);
    if (secret === undefined && !optional) throw new MissingSource(`secret "${name}" not found`);
    const entries = Object.entries(secret?.data ?? {});
    const data = new Map(entries.map(([key, text]) => [key, Buffer.from(text, "base64")]));
    files.push(...choose(data, items, optional, mode, `secret "${name}"`));
  }
  for (const item of source.downwardAPI?.items ?? []) {
    files.push({ path: item.path, bytes: Buffer.from(readItem(item, sources)), mode: item.mode ?? mode });
  }
  if (source.serviceAccountToken !== undefined && sources.token !== undefined) {
    const token = sources.token(source.serviceAccountToken);
    if (token === undefined) throw new MissingSource("its token has not been given yet");
    files.push({ path: source.serviceAccountToken.path, bytes: Buffer.from(token), mode });
  }
  return files;
}

function choose(
  data: ReadonlyMap<string, Buffer>,
  items: readonly KeyToPath[] | undefined,
  optional: boolean,
  mode: number,
  what: string,
): VolumeFile[] {
  if (items === undefined) return [...data].map(([path, bytes]) => ({ path, bytes, mode }));
  return items.flatMap(({ key, path, mode: own }) => {
    const bytes = data.get(key);
    if (bytes !== undefined) return [{ path, bytes, mode: own ?? mode }];
    if (optional) return [];
    throw new MissingSource(`${what} has no key ${key}`);
  });
}

function readItem({ path, fieldRef, resourceFieldRef }: DownwardItem, { pod, facts }: VolumeSources): string {
  if (fieldRef !== undefined) {
    const text = readField(pod, facts, fieldRef.fieldPath);
    if (text !== undefined) return text;
  }
  if (resourceFieldRef !== undefined) {
    const container = pod.spec.containers.find(({ name }) => name === resourceFieldRef.containerName);
    const text = container === undefined ? undefined : readResource(container, facts, resourceFieldRef);
    if (text !== undefined) return text;
  }
  throw new MissingSource(`the downward API cannot tell what ${path} asks for`);
}
