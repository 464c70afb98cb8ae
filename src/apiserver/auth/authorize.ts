import type { UserInfo } from "#api/admission.ts";
import { ApiError } from "#api/meta/status.ts";
import type { Attributes } from "./attributes.ts";
import { createNodeAuthorizer, type NodeOpinion } from "./node/authorize.ts";
import { createNodeGraph, type NodeGraph } from "./node/graph.ts";
import { nodeOf } from "./node/identity.ts";
import { questionOf, type CompiledRule } from "./rbac/rule.ts";
import type { Grant, RbacTable } from "./rbac/table.ts";

export interface Decision {
  readonly allowed: boolean;
  /** Set where a binding allows it. */
  readonly grant?: Grant;
  /** Why a node may not, beyond what bindings say. */
  readonly reason?: string;
}

/** Who may do what: administrators everything, a node what it needs for its pods, everybody what bindings give. */
export interface Authorizer {
  authorize(user: UserInfo, asked: Attributes): Decision;
  /** All rules that bindings give a user in a namespace, those of the cluster included. */
  rulesFor(user: UserInfo, namespace: string | undefined): readonly CompiledRule[];
  /** Why, in upstream's words; empty where nothing is to be said. */
  reasonOf(decision: Decision, user: UserInfo, asked: Attributes): string;
}

/** Members may do everything, whatever the objects say, so that nobody can lock himself out. */
export const masters = "system:masters";

const allowed: Decision = { allowed: true };
const refused: Decision = { allowed: false };
const openPaths = /^\/(healthz|livez|readyz)(\/.*)?$/;

export function createAuthorizer(table: RbacTable, graph: NodeGraph = createNodeGraph()): Authorizer {
  const askOfNode = createNodeAuthorizer(graph);

  /** `undefined` for who is no node. */
  function opinionOnNode(user: UserInfo, asked: Attributes): NodeOpinion | undefined {
    const node = nodeOf(user);
    if (node === "") return { allowed: false, reason: `unknown node for user "${user.name}"` };
    return node === undefined ? undefined : askOfNode(node, asked);
  }

  const rolesOf = (user: UserInfo, namespace: string | undefined) =>
    [...new Set(table.grantsOf(user, namespace).map(({ role }) => role))].sort();

  return {
    authorize(user, asked) {
      if (user.groups.includes(masters)) return allowed;
      const question = questionOf(asked);
      // Probes get their answer also where the roles are not there yet.
      if (question.path !== "" && asked.verb === "get" && openPaths.test(question.path)) return allowed;
      const opinion = opinionOnNode(user, asked);
      if (opinion?.allowed) return allowed;
      const grant = table.find(user, "path" in asked ? undefined : asked.namespace, question);
      return grant === undefined ? (opinion ?? refused) : { allowed: true, grant };
    },
    rulesFor: (user, namespace) => rolesOf(user, namespace).flatMap((role) => table.rulesOf(role) ?? []),
    reasonOf({ allowed: isAllowed, grant, reason = "" }, user, asked) {
      if (grant !== undefined) return `RBAC: allowed by ${describeGrant(grant)}`;
      if (isAllowed) return user.groups.includes(masters) ? `member of ${masters}` : "";
      const namespace = "path" in asked ? undefined : asked.namespace;
      const missing = rolesOf(user, namespace).filter((role) => table.rulesOf(role) === undefined);
      const texts = missing.map((role) => {
        const name = role.slice(role.indexOf("/") + 1);
        return `${role.includes("/") ? "role" : "clusterrole"}.rbac.authorization.k8s.io "${name}" not found`;
      });
      if (texts.length === 0) return reason;
      const missed = `RBAC: ${texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`}`;
      return reason === "" ? missed : `${reason}\n${missed}`;
    },
  };
}

/** `RoleBinding "rb/dev" of Role "reader" to User "alice"` */
function describeGrant({ binding: { kind, metadata, roleRef }, subject }: Grant): string {
  const { name, namespace } = metadata;
  const full = namespace === undefined ? name : `${name}/${namespace}`;
  const to = subject.kind === "ServiceAccount" ? `${subject.name}/${subject.namespace || namespace}` : subject.name;
  return `${kind} "${full}" of ${roleRef.kind} "${roleRef.name}" to ${subject.kind} "${to}"`;
}

/** Throws upstream's 403 unless `user` may. */
export function demand(authorizer: Authorizer, user: UserInfo, asked: Attributes): void {
  const decision = authorizer.authorize(user, asked);
  if (!decision.allowed) throw refusal(user, asked, authorizer.reasonOf(decision, user, asked));
}

/** The 403 of what `authorize` refused, in upstream's words. */
function refusal(user: UserInfo, asked: Attributes, reason: string): ApiError {
  const who = `User "${user.name}" cannot`;
  const why = reason === "" ? "" : `: ${reason}`;
  if ("path" in asked) {
    return new ApiError("Forbidden", `forbidden: ${who} ${asked.verb} path "${asked.path}"${why}`, {});
  }
  const { verb, group, resource, subresource, namespace, name } = asked;
  const qualified = group === "" ? resource : `${resource}.${group}`;
  const object = name === undefined ? qualified : `${qualified} "${name}"`;
  const full = subresource === undefined ? resource : `${resource}/${subresource}`;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const text = `${object} is forbidden: ${who} ${verb} resource "${full}" in API group "${group}" ${where}${why}`;
  const details = { ...(name === undefined ? {} : { name }), ...(group === "" ? {} : { group }), kind: resource };
  return new ApiError("Forbidden", text, details);
}
