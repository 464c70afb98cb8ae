import type { Service } from "#api/core/service/kind.ts";

/**
 * The variables that tell a container of the Services there are (`pkg/kubelet/envvars`): those of its namespace unless
 * it asked not to have them, and `kubernetes` always. Headless and external ones have no address to tell. Pure.
 */
export function compileServiceEnv(
  services: readonly Service[],
  namespace: string,
  enableServiceLinks: boolean,
): Map<string, string> {
  const own = enableServiceLinks ? services.filter(({ metadata }) => metadata.namespace === namespace) : [];
  const hasOwnKubernetes = own.some(({ metadata }) => metadata.name === "kubernetes");
  const master = services.filter(
    ({ metadata }) => metadata.namespace === "default" && metadata.name === "kubernetes" && !hasOwnKubernetes,
  );
  const env = new Map<string, string>();
  for (const service of [...master, ...own]) addService(env, service);
  return env;
}

function addService(env: Map<string, string>, { metadata, spec }: Service): void {
  const { clusterIP: address, ports = [], type } = spec;
  const [first] = ports;
  if (!address || address === "None" || type === "ExternalName" || first === undefined) return;
  const name = upper(metadata.name);
  const host = address.includes(":") ? `[${address}]` : address;
  const url = (port: (typeof ports)[number]) => `${(port.protocol ?? "TCP").toLowerCase()}://${host}:${port.port}`;
  env.set(`${name}_SERVICE_HOST`, address);
  env.set(`${name}_SERVICE_PORT`, String(first.port));
  for (const port of ports) if (port.name) env.set(`${name}_SERVICE_PORT_${upper(port.name)}`, String(port.port));
  env.set(`${name}_PORT`, url(first));
  for (const port of ports) {
    const prefix = `${name}_PORT_${port.port}_${port.protocol ?? "TCP"}`;
    env.set(prefix, url(port));
    env.set(`${prefix}_PROTO`, (port.protocol ?? "TCP").toLowerCase());
    env.set(`${prefix}_PORT`, String(port.port));
    env.set(`${prefix}_ADDR`, address);
  }
}

function upper(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}
