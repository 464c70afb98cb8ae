import type { ServiceDiff } from "#routing/l4/table.ts";

/** The names are those of upstream's kube-proxy metrics; durations are given as a sum and a count, in seconds. */
export interface ProxyCounters {
  kubeproxy_sync_proxy_rules_duration_seconds_sum: number;
  kubeproxy_sync_proxy_rules_duration_seconds_count: number;
  kubeproxy_sync_proxy_rules_last_timestamp_seconds: number;
  kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds: number;
  kubeproxy_sync_proxy_rules_service_changes_total: number;
  kubeproxy_sync_proxy_rules_service_changes_pending: number;
  kubeproxy_sync_proxy_rules_endpoint_changes_total: number;
  kubeproxy_sync_proxy_rules_endpoint_changes_pending: number;
  kubeproxy_sync_proxy_rules_nftables_sync_failures_total: number;
}

export interface CounterKeeper {
  readonly values: ProxyCounters;
  changed(diff: ServiceDiff, now: number): void;
  applied(now: number, ms: number): void;
  failed(): void;
}

export function createCounters(): CounterKeeper {
  const values: ProxyCounters = {
    kubeproxy_sync_proxy_rules_duration_seconds_sum: 0,
    kubeproxy_sync_proxy_rules_duration_seconds_count: 0,
    kubeproxy_sync_proxy_rules_last_timestamp_seconds: 0,
    kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds: 0,
    kubeproxy_sync_proxy_rules_service_changes_total: 0,
    kubeproxy_sync_proxy_rules_service_changes_pending: 0,
    kubeproxy_sync_proxy_rules_endpoint_changes_total: 0,
    kubeproxy_sync_proxy_rules_endpoint_changes_pending: 0,
    kubeproxy_sync_proxy_rules_nftables_sync_failures_total: 0,
  };
  return {
    values,
    changed({ added, changed, removed }, now) {
      const endpoints = changed.filter(({ before, after }) => before.endpoints !== after.endpoints).length;
      const services = added.length + removed.length + changed.length;
      values.kubeproxy_sync_proxy_rules_service_changes_total += services;
      values.kubeproxy_sync_proxy_rules_service_changes_pending += services;
      values.kubeproxy_sync_proxy_rules_endpoint_changes_total += endpoints;
      values.kubeproxy_sync_proxy_rules_endpoint_changes_pending += endpoints;
      values.kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds = now / 1000;
    },
    applied(now, ms) {
      values.kubeproxy_sync_proxy_rules_duration_seconds_sum += ms / 1000;
      values.kubeproxy_sync_proxy_rules_duration_seconds_count += 1;
      values.kubeproxy_sync_proxy_rules_last_timestamp_seconds = now / 1000;
      values.kubeproxy_sync_proxy_rules_service_changes_pending = 0;
      values.kubeproxy_sync_proxy_rules_endpoint_changes_pending = 0;
    },
    failed() {
      values.kubeproxy_sync_proxy_rules_nftables_sync_failures_total += 1;
    },
  };
}
