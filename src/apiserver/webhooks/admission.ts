import { randomUUID } from "node:crypto";
import type {
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from "#api/admissionregistration/validatingwebhookconfiguration/kind.ts";
import type { Labels } from "#api/meta/selector.ts";
import { ApiError } from "#api/meta/status.ts";
import type { Log } from "#base/log.ts";
import { addressOf, endpointOf, type AddressSources } from "./address.ts";
import { callWebhook } from "./call.ts";
import { formFor } from "./match.ts";
import type { Form, ReviewRequest } from "./request.ts";
import { DeniedError, readReview, renderReview, reviewVersionOf, type Verdict } from "./review.ts";

/** Asks the validating webhooks about requests. */
export interface Webhooks {
  /** False while there is none: then nothing needs to be asked. */
  readonly isNeeded: boolean;
  /** Resolves when nobody objects. Rejects with `ApiError`: a webhook's refusal, or one that could not be asked and must be. */
  review(request: ReviewRequest): Promise<void>;
}

export interface WebhookSources extends AddressSources {
  /** All of them, in the order of their names. */
  configurations(): readonly ValidatingWebhookConfiguration[];
  namespaceLabels(name: string): Labels;
}

/** The longest warning that is passed on from a webhook. */
const longestWarning = 1024;

/**
 * Validating admission webhooks as upstream's plugin of that name: all that want to be asked are, at once; each sees the
 * object as it would be stored. About the configurations themselves nobody is asked, so that a bad one can be removed.
 */
export function createWebhooks(sources: WebhookSources, log: Log): Webhooks {
  async function ask(webhook: ValidatingWebhook, form: Form, request: ReviewRequest): Promise<void> {
    const { name, sideEffects, failurePolicy = "Fail", clientConfig } = webhook;
    if (request.dryRun && sideEffects !== "None" && sideEffects !== "NoneOnDryRun") {
      throw new ApiError("BadRequest", `admission webhook ${JSON.stringify(name)} does not support dry run`);
    }
    let verdict: Verdict;
    try {
      verdict = await call(webhook, form, request);
    } catch (error) {
      const failure = `failed calling webhook ${JSON.stringify(name)}: ${(error as Error).message}`;
      if (failurePolicy === "Ignore") {
        log.warn({ webhook: name, url: clientConfig.url, error: failure }, "a webhook that may fail was passed over");
        return;
      }
      throw new ApiError("InternalError", `Internal error occurred: ${failure}`, { causes: [{ message: failure }] });
    }
    for (const text of verdict.warnings) request.warn(text.slice(0, longestWarning));
    if (!verdict.allowed) throw new DeniedError(name, verdict.status);
  }

  async function call(webhook: ValidatingWebhook, form: Form, request: ReviewRequest): Promise<Verdict> {
    const { clientConfig, timeoutSeconds = 10, admissionReviewVersions } = webhook;
    const uid = randomUUID();
    const version = reviewVersionOf(admissionReviewVersions);
    const body = JSON.stringify(renderReview(request, form, version, uid));
    const answer = await post(clientConfig, body, timeoutSeconds);
    return readReview(answer, version, uid);
  }

  async function post(
    config: ValidatingWebhook["clientConfig"],
    body: string,
    timeoutSeconds: number,
  ): Promise<string> {
    const address = addressOf(config, timeoutSeconds);
    const ca = config.caBundle ? Buffer.from(config.caBundle, "base64").toString() : undefined;
    try {
      const endpoint = endpointOf(config, sources);
      const place = endpoint === undefined ? address : { ...address, endpoint };
      return await callWebhook(place, body, { ca, timeoutMs: timeoutSeconds * 1000 });
    } catch (error) {
      const { message } = error as Error;
      const said = message.startsWith("Post ") ? message : `Post ${JSON.stringify(address.text)}: ${message}`;
      throw new Error(`failed to call webhook: ${said}`, { cause: error });
    }
  }

  return {
    get isNeeded() {
      return sources.configurations().length > 0;
    },
    async review(request) {
      if (request.form.group === "admissionregistration.k8s.io") return;
      const calls: Promise<void>[] = [];
      for (const { webhooks = [] } of sources.configurations()) {
        for (const webhook of webhooks) {
          const form = formFor(webhook, request, (name) => sources.namespaceLabels(name));
          if (form !== undefined) calls.push(ask(webhook, form, request));
        }
      }
      const results = await Promise.allSettled(calls);
      // Of several refusals the first by name is told, so that the same request is refused in the same words.
      const refused = results.find((result) => result.status === "rejected");
      if (refused !== undefined) throw refused.reason;
    },
  };
}
