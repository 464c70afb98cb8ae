import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import type {
  ValidatingWebhook,
  WebhookOperation,
} from "#api/admissionregistration/validatingwebhookconfiguration/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { formFor } from "#apiserver/webhooks/match.ts";
import type { Form, ReviewRequest } from "#apiserver/webhooks/request.ts";

interface Case {
  name: string;
  webhook: Partial<ValidatingWebhook>;
  namespaces?: Record<string, Record<string, string>>;
  object?: Record<string, string>;
  before?: Record<string, string>;
  requests: Record<string, string>;
}

/** The versions of an Ingress that are one another's equivalents. */
const ingressVersions = ["networking.k8s.io/v1", "networking.k8s.io/v1beta1", "extensions/v1beta1"];

function requestOf(line: string, { object, before }: Case): ReviewRequest {
  const [operation = "", apiVersion = "", path = "", namespace] = line.split(" ");
  const [resource = "", subresource] = path.split("/");
  const formIn = (text: string): Form => {
    const [group = "", version = ""] = text.split("/");
    return { group, version, kind: "Some", resource };
  };
  const others = resource === "ingresses" ? ingressVersions.filter((each) => each !== apiVersion) : [];
  const labelled = [object, before].map((labels) =>
    labels === undefined ? undefined : ({ metadata: { labels } } as KubeObject),
  );
  return {
    operation: operation as WebhookOperation,
    form: formIn(apiVersion),
    equivalents: others.map((each) => formIn(each)),
    ...(subresource !== undefined && { subresource }),
    name: "web",
    ...(namespace !== undefined && { namespace }),
    object: () => undefined,
    oldObject: () => undefined,
    labelled,
    user: { name: "test", groups: [] },
    dryRun: false,
    warn() {},
  };
}

for (const document of parseAllDocuments(readFileSync(join(import.meta.dirname, "match.yaml"), "utf8"))) {
  const given = document.toJS() as Case;
  for (const [line, expected] of Object.entries(given.requests)) {
    test(`webhooks: ${given.name}: ${line}`, () => {
      const form = formFor(
        given.webhook as ValidatingWebhook,
        requestOf(line, given),
        (name) => given.namespaces?.[name],
      );
      assert.equal(form?.version ?? "no", expected);
    });
  }
}
