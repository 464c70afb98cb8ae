import type { ServedKind } from "#api/kinds.ts";
import type { KubeObject, ObjectKey } from "#api/meta/object.ts";
import { ApiError, invalid, isApiError, type Status } from "#api/meta/status.ts";
import type { DeleteOptions } from "#client/contract.ts";
import { dryRunOf } from "../http/decode.ts";
import { mediaTypeOf, readBody } from "../http/body.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Form } from "../http/negotiate.ts";
import { sendValue } from "../http/respond.ts";
import { parseYaml } from "../http/yaml.ts";
import { checkShape } from "#api/schema/decode-json.ts";
import { decodeEnvelope, decodeProtobuf } from "#api/schema/decode-protobuf.ts";
import { detailsOf } from "../registry/errors.ts";
import { writeContext } from "./create.ts";
import { listFor } from "./list.ts";
import { sendForm, sendItem } from "./render.ts";
import { servedObject } from "./served.ts";

/** What a DELETE asks besides the object's name. */
interface Wish {
  readonly options: DeleteOptions;
  readonly dryRun: boolean;
}

/** DELETE of one object: what is gone is answered with a Status (or with itself), what stays for now with itself. */
export async function answerDelete(exchange: Exchange, served: ServedKind, key: ObjectKey, form: Form): Promise<void> {
  const { options, dryRun } = await readWish(exchange);
  const { definition } = served;
  const context = { ...writeContext(exchange), dryRun };
  const { item, gone } = await exchange.parts.registry.delete(definition.resource.kind, key, options, context);
  if (!gone || definition.deleteReturnsObject) return sendItem(exchange, served, item, { ...form, as: "object" });
  const { uid } = item.object.metadata;
  const details = { ...detailsOf(definition.resource, key.name), ...(uid === undefined ? {} : { uid }) };
  sendValue(exchange, 200, success(details));
}

export function success(details?: Status["details"], code?: number): Status {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    ...(details === undefined ? {} : { details }),
    ...(code === undefined ? {} : { code }),
  };
}

/** DELETE of a collection: each object that the selectors choose; answers those it deleted. */
export async function answerDeleteCollection(
  exchange: Exchange,
  served: ServedKind,
  namespace: string | undefined,
  form: Form,
): Promise<void> {
  const { registry } = exchange.parts;
  const { resource } = served.definition;
  const { options, dryRun } = await readWish(exchange);
  const context = { ...writeContext(exchange), dryRun };
  const { items, revision } = await listFor(exchange, served, namespace);
  const deleted: KubeObject[] = [];
  for (const { object } of items) {
    const { name, namespace } = object.metadata;
    try {
      const key = { name, ...(namespace === undefined ? {} : { namespace }) };
      deleted.push((await registry.delete(resource.kind, key, options, context)).item.object);
    } catch (error) {
      // Another one was faster: it is gone, as asked.
      if (!isApiError(error, "NotFound")) throw error;
    }
  }
  const { version } = served;
  const head = {
    kind: `${resource.kind}List`,
    apiVersion: version.group ? `${version.group}/${version.version}` : version.version,
  };
  const body = {
    ...head,
    metadata: { resourceVersion: String(revision) },
    items: deleted.map((object) => servedObject(served, object)),
  };
  await sendForm(exchange, body, form);
}

const policies = ["Background", "Foreground", "Orphan"] as const;

async function readWish(exchange: Exchange): Promise<Wish> {
  const { query } = exchange;
  const body = await readOptions(exchange);
  const fromQuery = {
    gracePeriodSeconds: numberOf(query.get("gracePeriodSeconds")),
    propagationPolicy: query.get("propagationPolicy") ?? undefined,
    orphanDependents: query.has("orphanDependents") ? query.get("orphanDependents") === "true" : undefined,
  };
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions, dryRun } = { ...fromQuery, ...body };
  const wrong = (path: string, value: unknown, detail: string) =>
    invalid("DeleteOptions", "meta.k8s.io", "", [{ type: "Invalid", path, value, detail }]);
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    throw wrong("propagationPolicy", propagationPolicy, "orphanDependents and deletionPropagation cannot be both set");
  }
  const policy = policies.find((known) => known === propagationPolicy);
  if (propagationPolicy !== undefined && policy === undefined) {
    throw invalid("DeleteOptions", "meta.k8s.io", "", [
      {
        type: "NotSupported",
        path: "propagationPolicy",
        value: propagationPolicy,
        detail: 'supported values: "Background", "Foreground", "Orphan"',
      },
    ]);
  }
  if (dryRun?.some((value) => value !== "All")) {
    throw invalid("DeleteOptions", "meta.k8s.io", "", [
      { type: "NotSupported", path: "dryRun", value: dryRun[0], detail: 'supported values: "All"' },
    ]);
  }
  const chosen = policy ?? (orphanDependents === true ? "Orphan" : undefined);
  return {
    dryRun: dryRunOf(exchange) || (dryRun?.length ?? 0) > 0,
    options: {
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(chosen === undefined ? {} : { propagationPolicy: chosen }),
      ...(preconditions === undefined ? {} : { preconditions }),
    },
  };
}

interface OptionsBody {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: string[];
}

async function readOptions(exchange: Exchange): Promise<OptionsBody> {
  const body = await readBody(exchange.request);
  if (body.length === 0) return {};
  const value = await parseOptions(mediaTypeOf(exchange.request), body);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad("the body is not an object");
  const fields = value as Record<string, unknown>;
  if (fields["kind"] !== undefined && fields["kind"] !== "" && fields["kind"] !== "DeleteOptions") {
    throw bad(`DeleteOptions expected, got ${JSON.stringify(fields["kind"])}`);
  }
  const { report, value: clean } = shapeOptions(fields);
  if (report !== undefined) throw bad(report);
  return clean;
}

function shapeOptions(fields: Record<string, unknown>): { value: OptionsBody; report?: string } {
  const { value, errors } = checkShape("meta.DeleteOptions", fields);
  return { value: value as OptionsBody, ...(errors[0] === undefined ? {} : { report: errors[0].message }) };
}

async function parseOptions(type: string, body: Buffer): Promise<unknown> {
  try {
    if (type === "application/vnd.kubernetes.protobuf")
      return decodeProtobuf(decodeEnvelope(body).raw, "meta.DeleteOptions");
    if (type === "application/yaml") return (await parseYaml(body.toString())).value;
    return JSON.parse(body.toString());
  } catch (error) {
    throw bad((error as Error).message);
  }
}

function bad(why: string): ApiError {
  return new ApiError("BadRequest", `the delete options cannot be read: ${why}`);
}

function numberOf(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  const number = Number(text);
  if (!Number.isInteger(number)) throw bad(`gracePeriodSeconds is no whole number: ${JSON.stringify(text)}`);
  return number;
}
