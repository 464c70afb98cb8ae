import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { renderProblem } from "#api/config/problem.ts";
import { readProxyConfig } from "#proxy/config/read.ts";

interface Case {
  readonly name: string;
  readonly text: string;
  /** What is read; left out when it is refused. */
  readonly config?: unknown;
  readonly problems?: readonly string[];
}

const head = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";
const source = readFileSync(join(import.meta.dirname, "cases.yaml"), "utf8");

/** Each document of `cases.yaml`: a configuration, what is read of it, and what is said about it. */
for (const document of parseAllDocuments(source)) {
  const { name, text, config, problems = [] } = document.toJS() as Case;
  test(name, () => {
    const read = readProxyConfig(text.startsWith("apiVersion") || text.startsWith("{") ? text : head + text, "c");
    assert.deepEqual(read.problems.map(renderProblem), problems);
    if (config !== undefined) assert.deepEqual(read.config, config);
  });
}
