import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { createWorkqueue, type Workqueue } from "#base/workqueue.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Client } from "#client/contract.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { ControllerInformers } from "./informers.ts";

/** What every controller is given. The informers are synced before a controller starts. */
export interface ControllerContext {
  readonly client: Client;
  readonly informers: ControllerInformers;
  readonly log: Log;
  readonly clock: Clock;
  /** A recorder of Events that names `component` as their source. */
  recorder(component: string): EventRecorder;
}

export interface RunningController {
  /** Resolves when no work is queued or running; delayed work does not count. */
  idle(): Promise<void>;
  /** Takes no more changes; resolves when the running work has ended. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  readonly name: string;
  readonly reconcile: (key: string) => Promise<void>;
  readonly concurrency?: number;
}

/** How long after a conflict a key is tried again, should the change that caused it not bring it back sooner. */
export const conflictRetryMs = 200;

/**
 * A work queue whose failures are logged under the controller's name. A write that met a newer object is no failure:
 * the change that outran it puts the key back by itself. Nor is one in a namespace that is going away: nothing can be
 * created there, and nothing needs to be.
 */
export function createLoop({ log, clock }: ControllerContext, options: LoopOptions): Workqueue {
  const { name, reconcile, concurrency = 8 } = options;
  const queue: Workqueue = createWorkqueue({
    work: async (key) => {
      try {
        await reconcile(key);
      } catch (error) {
        if (isNamespaceGoing(error)) return;
        if (!isApiError(error, "Conflict")) throw error;
        log.debug({ controller: name, key }, "the object changed meanwhile, trying again");
        queue.addAfter(key, conflictRetryMs);
      }
    },
    failed: (key, error, retryInMs) =>
      log.warn({ controller: name, key, error: String(error), retryInMs }, "reconciling failed, trying again"),
    concurrency,
    clock,
  });
  return queue;
}

/** Whether a write was refused because its namespace is being deleted. */
export function isNamespaceGoing(error: unknown): boolean {
  return isApiError(error, "Forbidden") && error.details?.causes?.some(({ reason }) => reason === terminating) === true;
}

const terminating = "NamespaceTerminating";

/** A controller made of one queue and the handlers that feed it. */
export function runningLoop(queue: Workqueue, unsubscribe: readonly (() => void)[]): RunningController {
  return {
    idle: () => queue.idle(),
    stop() {
      for (const off of unsubscribe) off();
      return queue.stop();
    },
  };
}
