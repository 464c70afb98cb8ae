import { isDeepStrictEqual } from "node:util";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { hasErrors, renderProblem } from "#api/config/problem.ts";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Client } from "#client/contract.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import { startInformer } from "#client/informer.ts";
import { readProxyConfig } from "./read.ts";
import { settingsOf, type ProxySettings } from "./settings.ts";

/** Where kubeadm keeps the configuration of kube-proxy. */
export const configMapKey = { namespace: "kube-system", name: "kube-proxy" } as const;
export const configKey = "config.conf";

export interface FollowConfigMapOptions {
  readonly client: Client;
  /** Stands where the ConfigMap leaves the mode open. */
  readonly mode: ProxySettings["mode"];
  readonly log: Log;
  readonly clock: Clock;
}

export interface FollowedConfigMap {
  /** What to start with: what the ConfigMap says, or the defaults where it says nothing that can be used. */
  readonly settings: ProxySettings;
  /** What it says cannot be had here: told as an Event. Answers what to start with instead. */
  withoutIt(why: string): ProxySettings;
  /**
   * Hands each later change to `configure`, one after the other; when it rejects, what was in use stays. Every outcome is
   * an Event on the ConfigMap, and is told in a sentence.
   */
  follow(configure: (settings: ProxySettings) => Promise<string>, told: (text: string) => void): void;
  stop(): Promise<void>;
}

type Read = { readonly settings: ProxySettings; readonly without: readonly string[] } | { readonly why: string };

/** Follows the configuration in ConfigMap `kube-system/kube-proxy`. Resolves when it has been looked at for the first time. */
export async function followConfigMap(options: FollowConfigMapOptions): Promise<FollowedConfigMap> {
  const { client, mode, log, clock } = options;
  const { namespace, name } = configMapKey;
  const scope = { namespace, fieldSelector: `metadata.name=${name}` };
  const maps = startInformer(client, "ConfigMap", { scope, log, clock });
  const events = createEventRecorder(client, "kube-proxy", { clock, log });
  let tail: Promise<void> = Promise.resolve();
  let unsubscribe = () => {};

  function refuse(map: ConfigMap, reason: string, why: string): string {
    const text = `the configuration of the service proxy in ConfigMap ${namespace}/${name} is not used: ${why}`;
    log.warn({ reason, why }, "a configuration of the service proxy is not used");
    events.warning(map, reason, text);
    return text;
  }

  await maps.synced;
  const first = maps.list()[0];
  const read = first === undefined ? undefined : readMap(first, mode);
  if (first !== undefined && read !== undefined && "why" in read) refuse(first, "InvalidProxyConfiguration", read.why);
  const settings = read !== undefined && "settings" in read ? read.settings : settingsOf({}, mode);
  let used = settings;
  let seen = first?.data?.[configKey];

  async function take(
    map: ConfigMap,
    configure: (settings: ProxySettings) => Promise<string>,
  ): Promise<string | undefined> {
    const next = readMap(map, mode);
    if ("why" in next) return refuse(map, "InvalidProxyConfiguration", `${next.why}; what was in use stays`);
    if (isDeepStrictEqual(next.settings, used)) return undefined;
    try {
      const outcome = await configure(next.settings);
      used = next.settings;
      const unused = next.without.length === 0 ? "" : `; without effect here: ${next.without.join(", ")}`;
      const text = `the service proxy follows ConfigMap ${namespace}/${name}: ${outcome}${unused}`;
      log.info({ outcome }, "the service proxy has a new configuration");
      events.normal(map, "ProxyConfigurationApplied", text);
      return text;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return refuse(map, "ProxyConfigurationFailed", `${why}; what was in use stays`);
    }
  }

  return {
    settings,
    withoutIt(why) {
      used = settingsOf({}, mode);
      if (first !== undefined) refuse(first, "ProxyConfigurationFailed", `${why}; the defaults are used`);
      return used;
    },
    follow(configure, told) {
      unsubscribe = maps.onChange(({ after }) => {
        // A ConfigMap that goes takes nothing along: the rules stay as they are until there is another.
        const text = after?.data?.[configKey];
        if (after === undefined || text === seen) return;
        seen = text;
        tail = tail.then(async () => {
          // Only the newest counts when several came meanwhile.
          const outcome = seen === text ? await take(after, configure) : undefined;
          if (outcome !== undefined) told(outcome);
        });
      });
    },
    async stop() {
      unsubscribe();
      maps.stop();
      await tail;
      await events.flush();
    },
  };
}

function readMap(map: ConfigMap, mode: ProxySettings["mode"]): Read {
  const text = map.data?.[configKey];
  if (text === undefined) return { why: `it has no key ${configKey}` };
  const { config, problems } = readProxyConfig(text, configKey);
  if (hasErrors(problems)) {
    return {
      why: problems
        .filter(({ severity }) => severity === "error")
        .map(renderProblem)
        .join("; "),
    };
  }
  return { settings: settingsOf(config, mode), without: problems.map((problem) => problem.text.split(" ")[0] ?? "") };
}
