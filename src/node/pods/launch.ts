import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Container, Pod } from "#api/core/pod/kind.ts";
import { allAddresses } from "../network/ipv6.ts";
import { resolveImage } from "../images/resolve.ts";
import { ContainerStartError, type BindMount, type Sandbox } from "../runtime/contract.ts";
import { compileContainer } from "./container-config.ts";
import type { PodDeps } from "./deps.ts";
import { compileEnv } from "./env.ts";
import type { PodFacts } from "./fields.ts";
import { hostnameOf, renderHosts } from "./hosts.ts";
import { compileResolv, parseResolv, renderResolv } from "./resolv.ts";
import { compileServiceEnv } from "./service-env.ts";
import type { PodTokens } from "./tokens.ts";
import type { VolumeSources } from "./volume-files.ts";
import { bindVolumes } from "./volumes.ts";

/** What came of starting a container. */
export type LaunchOutcome =
  | { readonly result: "running"; readonly id: string }
  /** It cannot be started as things are: the reason for its status. `retryMs` when time alone may change that. */
  | { readonly result: "waiting"; readonly reason: string; readonly message: string; readonly retryMs?: number }
  /** Its program could not be run. */
  | { readonly result: "failed"; readonly message: string; readonly id?: string };

/** How soon it is looked again whether a missing program has been installed. */
const programCheckMs = 5_000;

export function podFolderOf({ podsFolder }: PodDeps, uid: string): string {
  return join(podsFolder, uid);
}

export function factsOf(deps: PodDeps, address: string): PodFacts {
  const { node, allocatable } = deps;
  const [podIps, hostIps] = [address, node.address].map((own) => allAddresses(node, own).join(","));
  return {
    podIp: address,
    hostIp: node.address,
    ...(podIps === undefined || hostIps === undefined ? {} : { podIps, hostIps }),
    nodeName: node.name,
    allocatable,
  };
}

export function sourcesOf(deps: PodDeps, pod: Pod, address: string, tokens: PodTokens): VolumeSources {
  const namespace = pod.metadata.namespace ?? "default";
  return {
    pod,
    facts: factsOf(deps, address),
    configMap: (name) => deps.objects.configMap(namespace, name),
    secret: (name) => deps.objects.secret(namespace, name),
    ...(deps.requestToken === undefined ? {} : { token: (source) => tokens.get(source) }),
  };
}

/** Files of the pod that every container sees: names and name servers. */
export function writePodFiles(deps: PodDeps, pod: Pod, address: string): void {
  const folder = join(podFolderOf(deps, pod.metadata.uid ?? ""), "etc");
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const { name, namespace = "default" } = pod.metadata;
  const { spec } = pod;
  const { clusterDomain, dnsAddress } = deps;
  const hostFile = readHost("/etc/hosts");
  const host = parseResolv(readHost("/etc/resolv.conf"));
  const files = {
    hosts: renderHosts({ name, namespace, spec, clusterDomain, addresses: allAddresses(deps.node, address), hostFile }),
    "resolv.conf": renderResolv(compileResolv({ spec, namespace, clusterDomain, dnsAddress, host })),
    hostname: `${hostnameOf(name, spec)}\n`,
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text, { mode: 0o644 });
}

function readHost(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Makes and starts one container of a pod whose network and volumes stand. Never rejects for what a user wrote. */
export async function launch(
  deps: PodDeps,
  pod: Pod,
  container: Container,
  { sandbox, attempt }: { sandbox: Sandbox; attempt: number },
): Promise<LaunchOutcome> {
  const { runtime, images, objects } = deps;
  const namespace = pod.metadata.namespace ?? "default";
  const image = resolveImage(container, deps.findProgram);
  if (!image.ok) {
    return { result: "waiting", reason: "ImageNotAvailable", message: image.message, retryMs: programCheckMs };
  }
  const badConfig = (message: string): LaunchOutcome => ({
    result: "waiting",
    reason: "CreateContainerConfigError",
    message,
    retryMs: 10_000,
  });
  const services = compileServiceEnv(objects.services(namespace), namespace, pod.spec.enableServiceLinks ?? true);
  const env = compileEnv(container, {
    pod,
    facts: factsOf(deps, sandbox.address),
    services,
    configMap: (name) => objects.configMap(namespace, name),
    secret: (name) => objects.secret(namespace, name),
  });
  if (!env.ok) return badConfig(env.message);
  const podFolder = podFolderOf(deps, pod.metadata.uid ?? "");
  const volumes = bindVolumes(pod, container, podFolder);
  if (!volumes.ok) return badConfig(volumes.message);
  const targets = new Set(volumes.mounts.map(({ target }) => target));
  const own: BindMount[] = ["hosts", "resolv.conf", "hostname"]
    .map((file) => ({ source: join(podFolder, "etc", file), target: `/etc/${file}`, readOnly: false }))
    .filter(({ target }) => !targets.has(target));
  const compiled = compileContainer({
    pod,
    container,
    attempt,
    hostname: sandbox.config.hostname,
    image: image.process,
    args: image.args,
    env: env.env,
    mounts: [...own, ...(await images.mountsOf(image.process)), ...volumes.mounts],
  });
  if (!compiled.ok) return badConfig(compiled.message);
  let id: string | undefined;
  try {
    id = await runtime.createContainer(sandbox.id, compiled.config);
    await runtime.startContainer(id);
    return { result: "running", id };
  } catch (error) {
    if (!(error instanceof ContainerStartError)) throw error;
    return { result: "failed", message: error.message, ...(id === undefined ? {} : { id }) };
  }
}
