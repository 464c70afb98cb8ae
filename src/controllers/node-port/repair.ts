import type { Claim, Claims } from "#api/claims.ts";
import type { Service } from "#api/core/service/kind.ts";
import { keyOf, keyText } from "#api/meta/object.ts";
import { createLoop, runningLoop, type ControllerContext, type RunningController } from "../controller.ts";
import { heldPorts, nodePortClaims } from "./ports.ts";

/** Upstream's `--service-node-port-repair-interval`, which no flag changes. */
const everyMs = 3 * 60_000;
/** A claim without a Service goes when it has been found so often; its Service may be about to be seen. */
const sightingsOfLeak = 3;

export interface NodePortRepairOptions {
  readonly claims: Claims;
  /** First and last node port. */
  readonly range: { readonly first: number; readonly last: number };
}

/**
 * Looks at once, and then every three minutes, whether each node port of a Service is claimed by it and each claim has its
 * Service; claims what is not, says which Services cannot have theirs, and releases what nobody uses. Requests keep the two
 * in step: this is for stores from before there were claims, and for what a crash left. Reasons and texts are those of
 * upstream's `portallocator/controller/repair.go`.
 */
export function startNodePortRepair(
  context: ControllerContext,
  { claims, range }: NodePortRepairOptions,
): RunningController {
  const { informers, log } = context;
  const events = context.recorder("portallocator-repair-controller");
  const services = informers.of("Service");
  /** How often a claim has been found without its Service. */
  let leaks = new Map<string, number>();

  async function repairPort(service: Service, port: number, claim: Claim | undefined): Promise<void> {
    const warn = (reason: string, message: string) => events.warning(service, reason, message);
    if (port < range.first || port > range.last) {
      const { first, last } = range;
      return warn(
        "PortOutOfRange",
        `Port ${port} is not within the port range ${first}-${last}; please recreate service`,
      );
    }
    if (claim === undefined && (await claims.claim(nodePortClaims + port, service))) {
      return warn("PortNotAllocated", `Port ${port} is not allocated; repairing`);
    }
    const held = claims.list(nodePortClaims + port).find(({ name }) => name === nodePortClaims + port);
    const other = held && services.get(keyText(held.owner));
    // One whose holder is gone is released when it has been seen often enough, and claimed then.
    if (held === undefined || other === undefined || isOf(held, service) || !isHolder(held, other, port)) return;
    warn("PortAlreadyAllocated", `Port ${port} was assigned to multiple services; please recreate service`);
  }

  async function repair(): Promise<void> {
    const known = new Map(claims.list(nodePortClaims).map((claim) => [claim.name, claim]));
    for (const service of services.list()) {
      for (const port of new Set(heldPorts(service))) {
        await repairPort(service, port, known.get(nodePortClaims + port));
      }
    }
    const seen = new Map<string, number>();
    for (const claim of known.values()) {
      const owner = services.get(keyText(claim.owner));
      const port = Number(claim.name.slice(nodePortClaims.length));
      if (owner !== undefined && isHolder(claim, owner, port)) continue;
      const id = `${claim.name} ${claim.revision}`;
      const sightings = (leaks.get(id) ?? 0) + 1;
      if (sightings < sightingsOfLeak) seen.set(id, sightings);
      else if (await claims.release(claim)) {
        log.warn({ port, service: keyText(claim.owner) }, "the node port appears to have leaked: cleaned up");
      }
    }
    leaks = seen;
    queue.addAfter("all", everyMs);
  }

  const queue = createLoop(context, { name: "node-port-repair", reconcile: repair });
  queue.add("all");
  return runningLoop(queue, []);
}

function isHolder(claim: Claim, service: Service, port: number): boolean {
  return isOf(claim, service) && heldPorts(service).includes(port);
}

function isOf({ owner }: Claim, service: Service): boolean {
  return keyText(owner) === keyOf(service) && owner.uid === service.metadata.uid && owner.kind === service.kind;
}
