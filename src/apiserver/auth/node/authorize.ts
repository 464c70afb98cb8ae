import { parseFieldSelector, SelectorSyntaxError } from "#api/meta/selector.ts";
import type { Attributes, ResourceAttributes } from "../attributes.ts";
import { nodeRules } from "../rbac/node-rules.ts";
import { compileRule, questionOf, ruleAllows } from "../rbac/rule.ts";
import type { NodeGraph, RelatedKind } from "./graph.ts";

/** What is said of a request of a node: it may, or it may not by this way, and why. */
export type NodeOpinion = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

const allowed: NodeOpinion = { allowed: true };
const no = (reason = ""): NodeOpinion => ({ allowed: false, reason });
const leaseNamespace = "kube-node-lease";
const reads = new Set(["get", "list", "watch"]);

/**
 * What a node may do, in upstream's words (`plugin/pkg/auth/authorizer/node/node_authorizer.go`): read what its pods
 * name, one object by name; see its own Node, Lease and pods; the rest by a fixed list of rules. Whose objects it writes
 * is looked at once more on admission, where they can be seen.
 */
export function createNodeAuthorizer(graph: NodeGraph): (node: string, asked: Attributes) => NodeOpinion {
  const rules = nodeRules.map((rule) => compileRule(rule));

  function related(node: string, kind: RelatedKind, { namespace = "", name = "" }: ResourceAttributes): NodeOpinion {
    if (name === "") return no("No Object name found");
    if (graph.isRelated(node, kind, namespace, name)) return allowed;
    return no(`no relationship found between node '${node}' and this object`);
  }

  function read(node: string, kind: RelatedKind, asked: ResourceAttributes): NodeOpinion {
    if (!reads.has(asked.verb)) return no("can only read resources of this type");
    if (asked.subresource !== undefined) return no("cannot read subresource");
    if (asked.namespace === undefined) return no("can only read namespaced object of this type");
    return related(node, kind, asked);
  }

  function token(node: string, asked: ResourceAttributes): NodeOpinion {
    if (asked.verb !== "create" || asked.name === undefined) {
      return no("can only create tokens for individual service accounts");
    }
    if (asked.subresource !== "token") return no("can only create token subresource of serviceaccount");
    return related(node, "ServiceAccount", asked);
  }

  function pod(node: string, asked: ResourceAttributes): NodeOpinion {
    const { verb, subresource } = asked;
    if (subresource === "status") return verb === "update" || verb === "patch" ? allowed : no();
    if (subresource === "eviction") return verb === "create" ? allowed : no();
    if (subresource !== undefined) return no();
    if (verb === "create" || verb === "delete") return allowed;
    if (verb === "get") return related(node, "Pod", asked);
    if (verb !== "list" && verb !== "watch") return no();
    if (selectsNode(asked.fieldSelector ?? "", node)) return allowed;
    if (asked.name !== undefined) return related(node, "Pod", asked);
    return no("can only list/watch pods with spec.nodeName field selector");
  }

  return (node, asked) => {
    if (!("path" in asked)) {
      switch (`${asked.resource}.${asked.group}`) {
        case "secrets.":
          return read(node, "Secret", asked);
        case "configmaps.":
          return read(node, "ConfigMap", asked);
        case "serviceaccounts.":
          return token(node, asked);
        case "leases.coordination.k8s.io":
          return lease(node, asked);
        case "nodes.":
          return ownNode(node, asked);
        case "pods.":
          return pod(node, asked);
      }
    }
    const question = questionOf(asked);
    return rules.some((rule) => ruleAllows(rule, question)) ? allowed : no();
  };
}

function lease(node: string, { verb, namespace, name }: ResourceAttributes): NodeOpinion {
  if (!["get", "create", "update", "patch", "delete"].includes(verb)) {
    return no("can only get, create, update, patch, or delete a node lease");
  }
  if (namespace !== leaseNamespace) return no(`can only access leases in the "${leaseNamespace}" system namespace`);
  if (verb !== "create" && name !== node) {
    return no("can only access node lease with the same name as the requesting node");
  }
  return allowed;
}

function ownNode(node: string, { verb, name = "", subresource }: ResourceAttributes): NodeOpinion {
  if (subresource === "status") return verb === "update" || verb === "patch" ? allowed : no();
  if (subresource !== undefined) return no();
  if (verb === "create" || verb === "update" || verb === "patch") return allowed;
  if (!reads.has(verb)) return no();
  if (name === node) return allowed;
  const what = name === "" ? "all nodes" : `'${name}'`;
  return no(`node '${node}' cannot read ${what}, only its own Node object`);
}

function selectsNode(selector: string, node: string): boolean {
  try {
    return parseFieldSelector(selector).some(
      ({ path, equals, value }) => path === "spec.nodeName" && equals && value === node,
    );
  } catch (error) {
    // What is no selector is answered so by who reads it.
    if (error instanceof SelectorSyntaxError) return false;
    throw error;
  }
}
