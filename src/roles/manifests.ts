import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { kindByGvk } from "#api/kinds.ts";
import { readManifest } from "#api/manifest/read.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import type { KindName } from "#api/types.ts";
import type { Client } from "#client/contract.ts";

/** The objects of the manifests that could be read, and what is wrong with the rest, one text each. */
export interface LoadedManifests {
  readonly objects: readonly LoadedObject[];
  readonly problems: readonly string[];
}

export interface LoadedObject {
  readonly object: KubeObject;
  /** `file.yaml:12` */
  readonly where: string;
}

const manifestName = /\.(ya?ml|json)$/;

/** Reads files and folders (their manifests in name order, subfolders included). Never throws for what a person wrote. */
export function loadManifests(paths: readonly string[]): LoadedManifests {
  const objects: LoadedObject[] = [];
  const problems: string[] = [];
  for (const path of paths) {
    let files: string[];
    try {
      files = filesOf(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      problems.push(
        code === "ENOENT" ? `${path}: there is no such file or folder` : `${path}: cannot be read (${code})`,
      );
      continue;
    }
    if (files.length === 0) problems.push(`${path}: holds no *.yaml, *.yml or *.json file`);
    for (const file of files) {
      const result = readManifest(readFileSync(file, "utf8"), file);
      for (const { object, line } of result.objects) objects.push({ object, where: `${file}:${line}` });
      for (const problem of result.problems) problems.push(problem.message);
    }
  }
  return { objects, problems };
}

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path, { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => manifestName.test(name))
    .sort()
    .map((name) => join(path, name));
}

export type ApplyOutcome =
  | { readonly where: string; readonly object: string; readonly outcome: "created" | "configured" | "unchanged" }
  | { readonly where: string; readonly object: string; readonly outcome: "refused"; readonly message: string };

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Makes the manifests true, namespaces first, as `kubectl apply` does: what the manifest says is set, what an earlier one
 * said and this one does not is removed, what others set stays. One refused object never stops the others.
 */
export async function applyManifests(client: Client, objects: readonly LoadedObject[]): Promise<ApplyOutcome[]> {
  const namespacesFirst = [
    ...objects.filter(({ object }) => object.kind === "Namespace"),
    ...objects.filter(({ object }) => object.kind !== "Namespace"),
  ];
  const outcomes: ApplyOutcome[] = [];
  for (const loaded of namespacesFirst) {
    const { where, object } = loaded;
    const name = `${object.kind.toLowerCase()}/${object.metadata.name}`;
    try {
      outcomes.push({ where, object: name, outcome: await applyObject(client, object) });
    } catch (error) {
      if (!isApiError(error)) throw error;
      outcomes.push({ where, object: name, outcome: "refused", message: error.message });
    }
  }
  return outcomes;
}

async function applyObject(client: Client, manifest: KubeObject): Promise<"created" | "configured" | "unchanged"> {
  const kind = manifest.kind as KindName;
  const written = stored(manifest);
  const text = `${JSON.stringify(manifest)}\n`;
  const annotations = { ...written.metadata.annotations, [lastApplied]: text };
  const wanted: KubeObject = { ...written, metadata: { ...written.metadata, annotations } };
  const namespaced = kindByGvk(manifest.apiVersion, manifest.kind)?.definition.resource.namespaced === true;
  if (namespaced) wanted.metadata.namespace ??= "default";
  const key = { name: wanted.metadata.name, ...(namespaced ? { namespace: wanted.metadata.namespace } : {}) };
  const before = (await client.get(kind, key)) as KubeObject | undefined;
  if (before === undefined) {
    await client.create(kind, wanted, { fieldManager: "fairlead-up" });
    return "created";
  }
  const earlier = before.metadata.annotations?.[lastApplied];
  const removed = earlier === undefined ? {} : removals(stored(JSON.parse(earlier) as KubeObject), wanted);
  const { apiVersion: _version, kind: _kind, ...rest } = wanted as KubeObject & { status?: unknown };
  delete rest.status;
  const patch = merged(removed, rest);
  const after = await client.patch(kind, key, patch, { fieldManager: "fairlead-up" });
  return after.metadata.resourceVersion === before.metadata.resourceVersion ? "unchanged" : "configured";
}

/** The object in the form the API stores, whatever served version the manifest was written in. */
function stored(object: KubeObject): KubeObject {
  return kindByGvk(object.apiVersion, object.kind)?.version.toStored?.(object) ?? object;
}

type Tree = Record<string, unknown>;

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

/** A merge patch that removes what stands in `earlier` and not in `wanted`. */
function removals(earlier: unknown, wanted: unknown): Tree {
  const patch: Tree = {};
  if (!isTree(earlier) || !isTree(wanted)) return patch;
  for (const key of Object.keys(earlier)) {
    if (!Object.hasOwn(wanted, key)) patch[key] = null;
    else if (isTree(earlier[key]) && isTree(wanted[key])) patch[key] = removals(earlier[key], wanted[key]);
  }
  return patch;
}

function merged(a: Tree, b: Tree): Tree {
  const out: Tree = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const other = out[key];
    out[key] = isTree(other) && isTree(value) ? merged(other, value) : value;
  }
  return out;
}
