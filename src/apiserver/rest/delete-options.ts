import { ApiError, invalid } from "#api/meta/status.ts";
import { checkShape } from "#api/schema/decode-json.ts";
import { decodeEnvelope, decodeProtobuf } from "#api/schema/decode-protobuf.ts";
import type { DeleteOptions } from "#client/contract.ts";
import { mediaTypeOf, readBody } from "../http/body.ts";
import { dryRunOf } from "../http/options.ts";
import type { Exchange } from "../http/exchange.ts";
import { parseJson } from "../http/json.ts";

/** What a DELETE asks besides the object's name. */
export interface DeleteWish {
  readonly options: DeleteOptions;
  readonly dryRun: boolean;
}

const policies = ["Background", "Foreground", "Orphan"] as const;

/** The options of the body and of the query together. Rejects with `BadRequest` or `Invalid`. */
export async function readDeleteWish(exchange: Exchange): Promise<DeleteWish> {
  const { query } = exchange;
  const body = await readOptions(exchange);
  const fromQuery = {
    gracePeriodSeconds: numberOf(query.get("gracePeriodSeconds")),
    propagationPolicy: query.get("propagationPolicy") ?? undefined,
    orphanDependents: query.has("orphanDependents") ? query.get("orphanDependents") === "true" : undefined,
  };
  return wishOf({ ...fromQuery, ...body }, dryRunOf(exchange));
}

/** What options ask for, wherever they stood; `isDry` when the query said so. Throws `Invalid`. */
export function wishOf(fields: DeleteFields, isDry: boolean): DeleteWish {
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions, dryRun } = fields;
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
    dryRun: isDry || (dryRun?.length ?? 0) > 0,
    options: {
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(chosen === undefined ? {} : { propagationPolicy: chosen }),
      ...(preconditions === undefined ? {} : { preconditions }),
    },
  };
}

/** `meta/v1 DeleteOptions`, as a client writes it. */
export interface DeleteFields {
  gracePeriodSeconds?: number | undefined;
  propagationPolicy?: string | undefined;
  orphanDependents?: boolean | undefined;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: string[];
}

async function readOptions(exchange: Exchange): Promise<DeleteFields> {
  const body = await readBody(exchange);
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

function shapeOptions(fields: Record<string, unknown>): { value: DeleteFields; report?: string } {
  const { value, errors } = checkShape("meta.DeleteOptions", fields);
  return { value: value as DeleteFields, ...(errors[0] === undefined ? {} : { report: errors[0].message }) };
}

async function parseOptions(type: string, body: Buffer): Promise<unknown> {
  try {
    if (type === "application/vnd.kubernetes.protobuf")
      return decodeProtobuf(decodeEnvelope(body).raw, "meta.DeleteOptions");
    if (type === "application/yaml") {
      const { parseYamlBody } = await import("#api/manifest/yaml.ts");
      return parseYamlBody(body.toString()).value;
    }
    return parseJson(body);
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
