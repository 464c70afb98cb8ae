import { defaultOutliers } from "#dataplane/pool/outliers.ts";
import type { HealthCheck } from "#dataplane/table.ts";
import type { BackendCare } from "#routing/l7/backend.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import { defaultOptions, type IngressOptions } from "../../options.ts";
import type { AnnotationGroup } from "../group.ts";

function checkOf(options: IngressOptions, type: HealthCheck["type"]): HealthCheck {
  return {
    type,
    ...(options.checkPath === "" ? {} : { path: options.checkPath }),
    intervalMs: options.checkIntervalMs,
    timeoutMs: options.checkTimeoutMs,
    healthy: options.checkHealthy,
    unhealthy: options.checkUnhealthy,
  };
}

/**
 * How endpoints that fail and backends with too much to do are treated. No annotation changes it; the options do. What
 * they leave as it is, is not written into the table.
 */
export const care: AnnotationGroup = {
  name: "care",
  keys: [],
  parse(_reader, options) {
    const differs = (...names: readonly (keyof typeof options)[]) =>
      names.some((name) => options[name] !== defaultOptions[name]);
    const { outlierFailures, outlierMs } = options;
    const care: BackendCare = {
      ...(differs("outlierFailures", "outlierMs") && {
        outliers: {
          ...defaultOutliers,
          failures: outlierFailures,
          ejectMs: outlierMs,
          mostMs: Math.max(outlierMs, defaultOutliers.mostMs),
        },
      }),
      ...(differs("backendRequests", "backendConnections", "endpointConnections") && {
        limits: {
          requests: options.backendRequests,
          connections: options.backendConnections,
          connectionsAnEndpoint: options.endpointConnections,
          pending: options.backendPending,
        },
      }),
      ...(differs("slowStartMs") && { slowStartMs: options.slowStartMs }),
      ...(options.checkType !== "off" && { check: checkOf(options, options.checkType) }),
    };
    const effect: RouteEffect = (draft) => ({ ...draft, care });
    return Object.keys(care).length === 0 ? {} : { effect };
  },
};
