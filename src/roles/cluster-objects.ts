import type { Endpoints } from "#api/core/endpoints/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Client } from "#client/contract.ts";
import { configMapKey as poolsKey } from "#loadbalancer/config.ts";
import { configKey, configMapKey } from "#proxy/config/config-map.ts";
import { configApiVersion, configKind } from "#proxy/config/kind.ts";

/**
 * Service `kube-system/kube-dns` at the cluster's tenth service address, with the address where our DNS really listens
 * behind it. Written again when that address appears or changes.
 */
export async function ensureDnsService(
  client: Client,
  { serviceAddress, serverAddress }: { serviceAddress: string; serverAddress: string | undefined },
): Promise<void> {
  const metadata = { name: "kube-dns", namespace: "kube-system" };
  const service: Service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      ...metadata,
      labels: { "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" },
    },
    spec: {
      clusterIP: serviceAddress,
      clusterIPs: [serviceAddress],
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
      ],
    },
  };
  if ((await client.get("Service", metadata)) === undefined) await client.create("Service", service);
  if (serverAddress === undefined) return;
  const endpoints: Endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata,
    subsets: [
      {
        addresses: [{ ip: serverAddress }],
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { name: "dns-tcp", port: 53, protocol: "TCP" },
        ],
      },
    ],
  };
  if ((await client.get("Endpoints", metadata)) === undefined) await client.create("Endpoints", endpoints);
  else await client.update("Endpoints", endpoints);
}

/** IngressClass `fairlead`, so that Ingresses can name it. Not marked as default: Ingresses without a class are taken anyway. */
export async function ensureIngressClass(client: Client, controller: string): Promise<void> {
  await unlessThere(client.create("IngressClass", { metadata: { name: "fairlead" }, spec: { controller } }));
}

/** ConfigMap `kube-system/kube-proxy` where there is none yet, with a configuration that changes nothing; and who may read it. */
export async function ensureProxyConfig(client: Client): Promise<void> {
  const text = `apiVersion: ${configApiVersion}
kind: ${configKind}
# nftables, iptables, ipvs or userspace; empty: what \`fairlead up --proxy-mode\` says
mode: ""
# empty: the range of \`fairlead up --pod-cidr\`
clusterCIDR: ""
healthzBindAddress: 0.0.0.0:10256
metricsBindAddress: 127.0.0.1:10249
nftables:
  syncPeriod: 30s
  minSyncPeriod: 0s
iptables:
  syncPeriod: 30s
  minSyncPeriod: 0s
ipvs:
  syncPeriod: 30s
  minSyncPeriod: 0s
`;
  const labels = { app: "kube-proxy" };
  await Promise.all([
    unlessThere(client.create("ConfigMap", { metadata: { ...configMapKey, labels }, data: { [configKey]: text } })),
    ensureProxyRole(client),
  ]);
}

/** The proxies may read their configuration, as kubeadm's Role `kube-proxy` has it. */
async function ensureProxyRole(client: Client): Promise<void> {
  const { name, namespace } = configMapKey;
  const rule = { verbs: ["get", "list", "watch"], apiGroups: [""], resources: ["configmaps"], resourceNames: [name] };
  await unlessThere(client.create("Role", { metadata: { name, namespace }, rules: [rule] }));
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role" as const, name };
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User" as const, name: "system:kube-proxy" }];
  await unlessThere(client.create("RoleBinding", { metadata: { name, namespace }, roleRef, subjects }));
}

/** Who announces outside addresses may read what is announced and where from, and write the Leases that say by whom. */
export async function ensureLoadBalancerRoles(client: Client): Promise<void> {
  const [name, { namespace }] = ["fairlead:load-balancer", poolsKey];
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User" as const, name: "system:load-balancer" }];
  const refTo = (kind: "Role" | "ClusterRole") => ({ apiGroup: "rbac.authorization.k8s.io", kind, name });
  const read = ["get", "list", "watch"];
  const everywhere = [
    { verbs: read, apiGroups: [""], resources: ["services", "nodes"] },
    { verbs: read, apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"] },
    { verbs: ["create", "patch"], apiGroups: [""], resources: ["events"] },
  ];
  const inPlace = [
    { verbs: read, apiGroups: [""], resources: ["configmaps"], resourceNames: [poolsKey.name] },
    { verbs: [...read, "create", "update", "delete"], apiGroups: ["coordination.k8s.io"], resources: ["leases"] },
  ];
  await Promise.all([
    unlessThere(client.create("ClusterRole", { metadata: { name }, rules: everywhere })),
    unlessThere(client.create("ClusterRoleBinding", { metadata: { name }, roleRef: refTo("ClusterRole"), subjects })),
    unlessThere(client.create("Role", { metadata: { name, namespace }, rules: inPlace })),
    unlessThere(client.create("RoleBinding", { metadata: { name, namespace }, roleRef: refTo("Role"), subjects })),
  ]);
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isApiError(error, "AlreadyExists")) throw error;
  }
}
