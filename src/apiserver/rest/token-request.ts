import type { Pod } from "#api/core/pod/kind.ts";
import type { ServiceAccount } from "#api/core/serviceaccount/kind.ts";
import type { FieldError } from "#api/meta/field-error.ts";
import { invalidValue, tooMany } from "#api/meta/field-errors.ts";
import { splitApiVersion, type KubeObject, type ObjectKey } from "#api/meta/object.ts";
import { ApiError, invalid } from "#api/meta/status.ts";
import type { KindName } from "#api/types.ts";
import { rfc3339 } from "#base/clock.ts";
import { nodeOf } from "../auth/node/identity.ts";
import type { Bound } from "../auth/tokens/claims.ts";
import { readObject } from "../http/decode.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendValue } from "../http/respond.ts";
import { notFound } from "../registry/errors.ts";
import { checkKey } from "../registry/identity.ts";

interface Reference {
  kind?: string;
  apiVersion?: string;
  name?: string;
  uid?: string;
}

interface Spec {
  audiences?: string[];
  expirationSeconds?: number;
  boundObjectRef?: Reference;
}

const expected = {
  apiVersion: "authentication.k8s.io/v1",
  kind: "TokenRequest",
  schema: "authentication.v1.TokenRequest",
};
const shortest = 10 * 60;
const longest = 2 ** 32;
const usual = 60 * 60;
const mostAudiences = 100;

/** POST to a ServiceAccount's `token` (upstream: `pkg/registry/core/serviceaccount/storage/token.go`). */
export async function answerTokenRequest(exchange: Exchange, key: ObjectKey): Promise<void> {
  const { registry, accounts } = exchange.parts;
  const asked = await readObject(exchange, expected);
  checkKey(asked, key);
  const spec = (asked as KubeObject & { spec?: Spec }).spec ?? {};
  const audiences = spec.audiences?.length ? spec.audiences : accounts.audiences;
  const seconds = spec.expirationSeconds ?? usual;
  const errors = validate(seconds, audiences);
  if (errors.length > 0) throw invalid("TokenRequest", "authentication.k8s.io", key.name, errors);

  const account = find(exchange, "ServiceAccount", key) as ServiceAccount;
  const ref = spec.boundObjectRef;
  checkNode(exchange, ref, key, audiences);
  const bound: Omit<Bound, "account"> = ref === undefined ? {} : findBound(exchange, key, ref);
  const now = registry.clock.now();
  const token = accounts.issue({ account, ...bound }, audiences, seconds, now);
  sendValue(exchange, 201, {
    kind: expected.kind,
    apiVersion: expected.apiVersion,
    metadata: { name: key.name, namespace: key.namespace, creationTimestamp: rfc3339(now) },
    spec: { ...spec, audiences, expirationSeconds: seconds },
    status: { token, expirationTimestamp: rfc3339(Math.floor(now / 1000) * 1000 + seconds * 1000) },
  });
}

function validate(seconds: number, audiences: readonly string[]): FieldError[] {
  const path = "spec.expirationSeconds";
  const errors: FieldError[] = [];
  if (seconds < shortest) {
    errors.push(invalidValue(path, seconds, "may not specify a duration less than 10 minutes"));
  }
  if (seconds > longest)
    errors.push(invalidValue(path, seconds, "may not specify a duration larger than 2^32 seconds"));
  if (audiences.length > mostAudiences) errors.push(tooMany("spec.audiences", audiences.length, mostAudiences));
  return errors;
}

function find({ parts }: Exchange, kind: KindName, key: ObjectKey): KubeObject {
  const object = parts.registry.get(kind, key)?.object;
  if (object === undefined) throw notFound(parts.registry.definition(kind).resource, key.name);
  return object;
}

/** The object the token is to end with. Throws what upstream says to a reference that leads nowhere. */
function findBound(exchange: Exchange, account: ObjectKey, ref: Reference): Omit<Bound, "account"> {
  const { kind = "", apiVersion = "", name = "", uid } = ref;
  const { group, version } = splitApiVersion(apiVersion);
  const here = { name, ...(account.namespace === undefined ? {} : { namespace: account.namespace }) };
  const check = (object: KubeObject): KubeObject => {
    if (!uid || object.metadata.uid === uid) return object;
    const text = `Operation cannot be fulfilled on ${kind} "${name}": ${otherUid(uid)}`;
    throw new ApiError("Conflict", text, { name, kind });
  };
  if (group === "" && kind === "Pod") {
    const pod = find(exchange, "Pod", here) as Pod;
    if (pod.spec.serviceAccountName !== account.name) {
      const what = `cannot bind token for serviceaccount "${account.name}" to pod running with different serviceaccount name.`;
      throw new ApiError("BadRequest", what);
    }
    const { nodeName } = pod.spec;
    const node = nodeName ? exchange.parts.registry.get("Node", { name: nodeName })?.object : undefined;
    return { pod: check(pod), ...(node === undefined ? {} : { node }) };
  }
  if (group === "" && kind === "Secret") return { secret: check(find(exchange, "Secret", here)) };
  if (group === "" && kind === "Node") return { node: check(find(exchange, "Node", { name })) };
  throw new ApiError("BadRequest", `cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
}

/**
 * An agent gets tokens for pods on its own node, for the audiences that the pod asks for, and no others (upstream:
 * `NodeRestriction`).
 */
function checkNode(
  { user, parts }: Exchange,
  ref: Reference | undefined,
  { namespace, name }: ObjectKey,
  audiences: readonly string[],
): void {
  const node = nodeOf(user);
  if (node === undefined) return;
  const refuse = (why: string) =>
    new ApiError("Forbidden", `serviceaccounts "${name}" is forbidden: ${why}`, { name, kind: "serviceaccounts" });
  if (ref?.apiVersion !== "v1" || ref.kind !== "Pod" || !ref.name) {
    throw refuse("node requested token not bound to a pod");
  }
  if (!ref.uid) throw refuse("node requested token with a pod binding without a uid");
  const key = { name: ref.name, ...(namespace === undefined ? {} : { namespace }) };
  const pod = parts.registry.get("Pod", key)?.object as Pod | undefined;
  if (pod === undefined) throw notFound(parts.registry.definition("Pod").resource, ref.name);
  if (pod.metadata.uid !== ref.uid) throw refuse(otherUid(ref.uid));
  if (pod.spec.nodeName !== node) throw refuse("node requested token bound to a pod scheduled on a different node");
  const sources = (pod.spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  const wished = sources.map(({ serviceAccountToken }) => serviceAccountToken?.audience ?? "");
  const other = audiences.find(
    (audience) => !parts.accounts.audiences.includes(audience) && !wished.includes(audience),
  );
  if (other === undefined) return;
  const why = `audience "${other}" not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`;
  throw refuse(why);
}

function otherUid(uid: string): string {
  return `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
}
