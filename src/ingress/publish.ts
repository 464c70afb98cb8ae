import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { parseKey } from "#api/meta/object.ts";
import type { Node } from "#api/core/node/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { Client } from "#client/contract.ts";
import { startInformer } from "#client/informer.ts";

/** Where the addresses come from that stand in the status of Ingresses; the first that is given counts. */
export interface PublishRules {
  readonly addresses: readonly string[];
  /** `namespace/name` of the Service in front. */
  readonly service?: string;
  /** The Node that traffic comes to. */
  readonly node?: string;
  /** Of the node, the address inside the cluster, though it has one outside. */
  readonly internalAddress: boolean;
}

/** Tells the addresses of these rules, and again whenever they change. Returns how to stop. */
export function followPublished(
  rules: PublishRules,
  tell: (addresses: readonly string[]) => void,
  { client, log, clock }: { client: Client; log: Log; clock: Clock },
): () => void {
  const { addresses, service, node, internalAddress } = rules;
  if (addresses.length > 0 || (service === undefined && node === undefined)) {
    tell(addresses);
    return () => {};
  }
  if (service !== undefined) {
    const { namespace, name } = parseKey(service);
    const scope = { ...(namespace === undefined ? {} : { namespace }), fieldSelector: `metadata.name=${name}` };
    const informer = startInformer(client, "Service", { scope, log, clock });
    informer.onChange(({ after }) => tell(after === undefined ? [] : addressesOfService(after)));
    return () => informer.stop();
  }
  const informer = startInformer(client, "Node", { scope: { fieldSelector: `metadata.name=${node}` }, log, clock });
  informer.onChange(({ after }) => tell(after === undefined ? [] : addressesOfNode(after, internalAddress)));
  return () => informer.stop();
}

/** As ingress-nginx has it for `--publish-service`. */
export function addressesOfService({ spec, status }: Service): string[] {
  if (spec.type === "ExternalName") return spec.externalName === undefined ? [] : [spec.externalName];
  const outside = [
    ...(status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []),
    ...(spec.externalIPs ?? []),
  ];
  if (outside.length > 0 || spec.type === "LoadBalancer") return outside;
  return spec.clusterIP === undefined || spec.clusterIP === "None" ? [] : [spec.clusterIP];
}

/** The addresses outside the cluster, or those inside where there are none or they are asked for. */
export function addressesOfNode({ status }: Node, internal: boolean): string[] {
  const of = (type: string) => (status?.addresses ?? []).flatMap((one) => (one.type === type ? [one.address] : []));
  const outside = internal ? [] : of("ExternalIP");
  return outside.length > 0 ? outside : of("InternalIP");
}
