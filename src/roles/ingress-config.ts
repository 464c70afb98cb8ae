import { readFileSync } from "node:fs";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { IngressOptions } from "#ingress/options.ts";
import { readIngressConfig } from "#ingress/read-config.ts";
import { RoleError, type Report } from "./report.ts";

/** Reads the options of Ingress; what has no effect is told. Throws `RoleError` with all that is wrong. */
export function loadIngressConfig(path: string | undefined, report: Report): Partial<IngressOptions> {
  if (path === undefined) return {};
  let config;
  try {
    config = readIngressConfig(readFileSync(path, "utf8"));
  } catch (error) {
    throw new RoleError(`the configuration of Ingress cannot be read: ${(error as Error).message}`);
  }
  return checkedOptions(config, path, report);
}

/** The same of a ConfigMap of the cluster, which `name` names. */
export function optionsOfConfigMap({ data = {} }: ConfigMap, name: string, report: Report): Partial<IngressOptions> {
  return checkedOptions(readIngressConfig(JSON.stringify({ kind: "ConfigMap", data })), name, report);
}

function checkedOptions(
  { options, errors, warnings }: ReturnType<typeof readIngressConfig>,
  path: string,
  report: Report,
): Partial<IngressOptions> {
  if (errors.length > 0) {
    throw new RoleError(
      errors.map((text) => `${path}: ${text}`).join("\n"),
      "docs/reference/ingress-options.md lists what can be said",
    );
  }
  for (const text of warnings) report({ type: "warning", text: `${path}: ${text}` });
  return options;
}
