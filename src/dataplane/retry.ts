import type { RetryRules } from "./table.ts";

/** As nginx under ingress-nginx has it; bodies up to its default limit are kept, in memory only. */
export const defaultRetry: RetryRules = { tries: 3, on: ["error", "timeout"], withinMs: 0, keepBytes: 1 << 20 };
