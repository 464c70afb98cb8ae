import { checkAddress } from "../../meta/addresses.ts";
import type { FieldError } from "../../meta/field-error.ts";
import { invalids, invalidValue, required, unlessNatural, unlessOneOf } from "../../meta/field-errors.ts";
import { validateAnnotations, validateLabels, validateMetadata } from "../../meta/metadata.ts";
import { checkLabel, checkQualifiedName, checkSubdomain } from "../../meta/names.ts";
import { validateAffinity } from "./affinity.ts";
import type { Pod, PodSpec, PodTemplateSpec, Toleration } from "./kind.ts";
import { validateContainers } from "./validate-container.ts";
import { validateVolumes } from "./validate-volumes.ts";

const longestDeadline = 2_147_483_647;

export function validatePod(pod: Pod): FieldError[] {
  return [...validateMetadata(pod, true), ...validatePodSpec(pod.spec, "spec")];
}

export function validatePodTemplate({ metadata, spec }: PodTemplateSpec, path: string): FieldError[] {
  return [
    ...validateLabels(metadata?.labels, `${path}.labels`),
    ...validateAnnotations(metadata?.annotations, `${path}.annotations`),
    ...validatePodSpec(spec, `${path}.spec`),
  ];
}

/** The rules of upstream's `ValidatePodSpec` for the fields that Fairlead's pods have. */
function validatePodSpec(spec: PodSpec, path: string): FieldError[] {
  const named = (field: "hostname" | "subdomain" | "serviceAccountName" | "nodeName", check: typeof checkLabel) => {
    const value = spec[field];
    return value ? invalids(`${path}.${field}`, value, check(value)) : [];
  };
  return [
    ...validateVolumes(spec.volumes ?? [], `${path}.volumes`),
    ...validateContainers(spec, path),
    ...(spec.restartPolicy ? [] : [required(`${path}.restartPolicy`)]),
    ...unlessOneOf(`${path}.restartPolicy`, spec.restartPolicy, ["Always", "Never", "OnFailure"]),
    ...validateDns(spec, path),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validateAffinity(spec.affinity, path),
    ...named("serviceAccountName", checkSubdomain),
    ...named("nodeName", checkSubdomain),
    ...validateDeadline(spec.activeDeadlineSeconds, `${path}.activeDeadlineSeconds`),
    ...unlessNatural(`${path}.terminationGracePeriodSeconds`, spec.terminationGracePeriodSeconds),
    ...named("hostname", checkLabel),
    ...named("subdomain", checkLabel),
    ...(spec.tolerations ?? []).flatMap((item, index) => validateToleration(item, `${path}.tolerations[${index}]`)),
    ...validateHostAliases(spec.hostAliases ?? [], `${path}.hostAliases`),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
      invalids(
        `${path}.readinessGates[${index}].conditionType`,
        conditionType,
        checkQualifiedName(conditionType ?? ""),
      ),
    ),
  ];
}

function validateDeadline(seconds: number | undefined, path: string): FieldError[] {
  if (seconds === undefined || (seconds >= 1 && seconds <= longestDeadline)) return [];
  return [invalidValue(path, seconds, `must be between 1 and ${longestDeadline}, inclusive`)];
}

function validateDns({ dnsPolicy, dnsConfig = {} }: PodSpec, path: string): FieldError[] {
  const policies = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
  const errors = unlessOneOf(`${path}.dnsPolicy`, dnsPolicy, policies);
  const { nameservers = [], searches = [], options = [] } = dnsConfig;
  const at = `${path}.dnsConfig`;
  if (dnsPolicy === "None" && nameservers.length === 0) {
    const detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
    errors.push(required(`${at}.nameservers`, detail));
  }
  if (nameservers.length > 3) {
    errors.push(invalidValue(`${at}.nameservers`, nameservers, "must not have more than 3 nameservers"));
  }
  for (const [index, address] of nameservers.entries()) {
    errors.push(...invalids(`${at}.nameservers[${index}]`, address, checkAddress(address)));
  }
  if (searches.length > 32) {
    errors.push(invalidValue(`${at}.searches`, searches, "must not have more than 32 search paths"));
  }
  for (const [index, search] of searches.entries()) {
    const domain = search.replace(/\.$/, "");
    if (search !== ".") errors.push(...invalids(`${at}.searches[${index}]`, search, checkSearch(domain)));
  }
  for (const [index, { name }] of options.entries()) {
    if (!name) errors.push(required(`${at}.options[${index}]`, "must not be empty"));
  }
  return errors;
}

/** Search domains may hold underscores, which names of objects may not. */
function checkSearch(domain: string): string[] {
  return checkSubdomain(domain.replaceAll("_", "x"));
}

function validateToleration({ key = "", operator, value = "", effect, tolerationSeconds }: Toleration, path: string) {
  const errors: FieldError[] = [];
  if (key !== "") errors.push(...invalids(`${path}.key`, key, checkQualifiedName(key)));
  if (key === "" && operator !== "Exists") {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalidValue(`${path}.operator`, operator ?? "", detail));
  }
  if (tolerationSeconds !== undefined && effect !== "NoExecute") {
    const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    errors.push(invalidValue(`${path}.effect`, effect ?? "", detail));
  }
  errors.push(...unlessOneOf(`${path}.operator`, operator || undefined, ["Equal", "Exists"]));
  if (operator === "Exists" && value !== "") {
    errors.push(invalidValue(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"));
  }
  const effects = ["NoExecute", "NoSchedule", "PreferNoSchedule"];
  return [...errors, ...unlessOneOf(`${path}.effect`, effect || undefined, effects)];
}

function validateHostAliases(aliases: NonNullable<PodSpec["hostAliases"]>, path: string): FieldError[] {
  return aliases.flatMap(({ ip, hostnames = [] }, index) => [
    ...invalids(`${path}[${index}].ip`, ip ?? "", checkAddress(ip ?? "")),
    ...hostnames.flatMap((name, at) => invalids(`${path}[${index}].hostnames[${at}]`, name, checkSubdomain(name))),
  ]);
}
