import type { Filter } from "#dataplane/table.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { readUrl, whomToAsk } from "../url.ts";
import { oneOf, parseServerName, parseUrlTemplate } from "../values.ts";

const targetKey = `${nginx}mirror-target`;
const hostKey = `${nginx}mirror-host`;
const bodyKey = `${nginx}mirror-request-body`;

/** `mirror-target`: a copy of each request goes there as well, and nobody waits for the answer. */
export const mirror: AnnotationGroup = {
  name: "mirror",
  keys: [targetKey, hostKey, bodyKey],
  parse(reader) {
    const authority = reader.read(hostKey, parseServerName, "ignore", "a host name");
    const body = reader.read(bodyKey, oneOf(["on", "off"]), "ignore", "on or off") ?? "on";
    const text = reader.read(targetKey, parseUrlTemplate, "ignore", "a URL with known variables only");
    if (text === undefined) return {};
    const url = readUrl(text);
    if (typeof url === "string") {
      reader.fail(targetKey, "annotation-invalid", `${JSON.stringify(text)} cannot be asked: ${url}`, "ignore");
      return {};
    }
    const effect: RouteEffect = (draft, { host }) => {
      const asked = whomToAsk(url, host);
      if (asked === undefined) {
        const message = `${targetKey}: $host needs a rule with a full host name, ${host} is none; nothing is copied`;
        const finding = { field: `metadata.annotations[${targetKey}]`, code: "mirror-unusable", message };
        return { ...draft, findings: [...(draft.findings ?? []), finding] };
      }
      const filter: Filter = {
        type: "mirror",
        backend: asked.backend.id,
        host: authority ?? asked.authority,
        target: url.target,
        withBody: body === "on",
        timeouts: draft.timeouts,
      };
      return {
        ...draft,
        filters: [...draft.filters, filter],
        backends: [...(draft.backends ?? []), asked.backend],
      };
    };
    return { effect };
  },
};
