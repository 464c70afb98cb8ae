import type { ServedKind } from "#api/kinds.ts";
import { ApiError } from "#api/meta/status.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Form } from "../http/negotiate.ts";
import { sendBytes, sendJson } from "../http/respond.ts";
import type { Item } from "../registry/item.ts";
import { partialOf, servedBytes, servedItem } from "./served.ts";
import { tableOf, type IncludeObject } from "./table.ts";

/** Sends one object in the form that was negotiated. */
export async function sendItem(
  exchange: Exchange,
  served: ServedKind,
  item: Item,
  form: Form,
  code = 200,
): Promise<void> {
  if (form.as === "object" && !form.yaml) {
    sendJson(exchange, code, servedBytes(served, item));
    return;
  }
  await sendForm(exchange, formValue(exchange, served, item, form), form, code);
}

/** Any value, as JSON or YAML. */
export async function sendForm(exchange: Exchange, value: unknown, form: Form, code = 200): Promise<void> {
  if (!form.yaml) sendJson(exchange, code, JSON.stringify(value));
  else {
    const { renderYaml } = await import("#api/manifest/yaml.ts");
    sendBytes(exchange, code, Buffer.from(renderYaml(value)), { "Content-Type": "application/yaml" });
  }
}

function formValue(exchange: Exchange, served: ServedKind, item: Item, form: Form): unknown {
  if (form.as === "table") {
    const metadata = { resourceVersion: item.object.metadata.resourceVersion ?? "" };
    return tableOf(served, [item], form.apiVersion, includeOf(exchange), exchange.parts.registry.clock.now(), metadata);
  }
  return form.as === "partial" ? partialOf(item, form.apiVersion) : servedItem(served, item);
}

export function includeOf({ query }: Exchange): IncludeObject {
  const asked = query.get("includeObject") ?? "";
  if (asked === "") return "Metadata";
  if (asked === "None" || asked === "Metadata" || asked === "Object") return asked;
  throw new ApiError("BadRequest", `unrecognized includeObject value: ${JSON.stringify(asked)}`);
}
