import type { FieldError } from "../../meta/field-error.ts";
import { invalidValue, notSupported, required, unlessOneOf } from "../../meta/field-errors.ts";
import type { RuleWithOperations } from "./kind.ts";

const operationNames = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

/** The rules of upstream's `validateRuleWithOperations`, in its order. */
export function validateRule(rule: RuleWithOperations, path: string): FieldError[] {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  return [
    ...validateList(operations, `${path}.operations`, "operations"),
    ...operations.flatMap((name, index) =>
      operationNames.includes(name) ? [] : [notSupported(`${path}.operations[${index}]`, name, operationNames)],
    ),
    ...validateList(apiGroups, `${path}.apiGroups`, "API groups"),
    ...validateList(apiVersions, `${path}.apiVersions`, "API versions"),
    ...apiVersions.flatMap((version, index) => (version === "" ? [required(`${path}.apiVersions[${index}]`)] : [])),
    ...validateResources(resources, `${path}.resources`),
    ...unlessOneOf(`${path}.scope`, scope, ["*", "Cluster", "Namespaced"]),
  ];
}

/** There is something, and the star stands alone. */
function validateList(values: readonly string[], path: string, what: string): FieldError[] {
  if (values.length === 0) return [required(path)];
  if (values.length === 1 || !values.includes("*")) return [];
  return [invalidValue(path, values, `if '*' is present, must not specify other ${what}`)];
}

function validateResources(resources: readonly string[], path: string): FieldError[] {
  if (resources.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  const wholeResources = new Set<string>();
  const wholeSubresources = new Set<string>();
  for (const [index, text] of resources.entries()) {
    const at = `${path}[${index}]`;
    if (text === "") errors.push(required(at));
    const [resource, subresource] = splitResource(text);
    if (subresource === undefined) continue;
    const refuse = (wide: string) =>
      errors.push(invalidValue(at, text, `if '${wide}' is present, must not specify ${text}`));
    if (wholeResources.has(resource)) refuse(`${resource}/*`);
    if (wholeSubresources.has(subresource)) refuse(`*/${subresource}`);
    if (subresource === "*") wholeResources.add(resource);
    if (resource === "*") wholeSubresources.add(subresource);
  }
  if (resources.length > 1 && resources.includes("*/*")) {
    errors.push(invalidValue(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  const plain = resources.filter((text) => text !== "*" && !text.includes("/"));
  if (resources.includes("*") && plain.length > 0) {
    const detail = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalidValue(path, resources, detail));
  }
  return errors;
}

/** `pods/status` is `pods` and `status`; without a slash there is no second part. */
export function splitResource(text: string): [resource: string, subresource?: string] {
  const slash = text.indexOf("/");
  return slash === -1 ? [text] : [text.slice(0, slash), text.slice(slash + 1)];
}
