import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import type { Container, PodSpec } from "#api/core/pod/kind.ts";
import type { Service, ServicePort } from "#api/core/service/kind.ts";
import { resolveImage } from "#node/images/resolve.ts";
import { decide, type Decision, type Standing } from "#node/pods/decide.ts";
import { compileResolv, parseResolv, renderResolv } from "#node/pods/resolv.ts";
import { compileServiceEnv } from "#node/pods/service-env.ts";

/** Runs each document of a case file as one test. */
function eachCase(file: string, check: (given: never) => void): void {
  for (const document of parseAllDocuments(readFileSync(join(import.meta.dirname, file), "utf8"))) {
    const given = document.toJS() as { name: string };
    test(`${file.replace(".yaml", "")}: ${given.name}`, () => check(given as never));
  }
}

type ResolvCase = { name: string; spec: PodSpec; host?: string; expect: string };
eachCase("name-servers.yaml", ({ spec, host, expect }: ResolvCase) => {
  const machine = parseResolv(host ?? "nameserver 8.8.8.8\nsearch host.domain\noptions timeout:1\n");
  const cluster = { namespace: "dev", clusterDomain: "cluster.local", dnsAddress: "10.96.0.10" };
  assert.equal(renderResolv(compileResolv({ spec, ...cluster, host: machine })), expect);
});

interface ServiceCase {
  name: string;
  links?: boolean;
  services: { name: string; namespace?: string; ip?: string; type?: "ExternalName"; ports: ServicePort[] }[];
  expect: string;
}
eachCase("service-variables.yaml", ({ services, links = true, expect }: ServiceCase) => {
  const objects = services.map(({ name, namespace = "dev", ip, ...spec }): Service => {
    const clusterIP = ip === undefined ? {} : { clusterIP: ip };
    return { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { ...spec, ...clusterIP } };
  });
  const lines = [...compileServiceEnv(objects, "dev", links)].map(([name, value]) => `${name}=${value}\n`);
  assert.equal(lines.sort().join(""), expect);
});

interface DecisionCase {
  name: string;
  policy?: PodSpec["restartPolicy"];
  /** A star after the name makes a sidecar. */
  init?: Record<string, string>;
  containers: Record<string, string>;
  expect: string;
}
eachCase("decisions.yaml", ({ policy, init = {}, containers, expect }: DecisionCase) => {
  const spec: PodSpec = {
    ...(policy && { restartPolicy: policy }),
    initContainers: Object.keys(init).map((key): Container => {
      return key.endsWith("*") ? { name: key.slice(0, -1), restartPolicy: "Always" } : { name: key };
    }),
    containers: Object.keys(containers).map((name) => ({ name })),
  };
  const standings = new Map(
    Object.entries({ ...init, ...containers }).map(([key, text]) => [key.replace("*", ""), standingOf(text)]),
  );
  assert.equal(describeDecision(decide(spec, (name) => standings.get(name) ?? standingOf("none"), now)), expect);
});

const now = 1_000_000_000;

function standingOf(text: string): Standing {
  const [word = "", crashes = "1", , seconds = "0"] = text.split(" ");
  const ends = { finishedAt: now - Number(seconds) * 1000, crashes: Number(crashes), started: false };
  if (word === "none") return { ...ends, state: "none", exitCode: 0 };
  if (word === "up" || word === "probing") return { ...ends, state: "running", exitCode: 0, started: word === "up" };
  return { ...ends, state: "exited", exitCode: word === "done" ? 0 : 1 };
}

function describeDecision({ start, backingOff, wakeAt, initialized, finished }: Decision): string {
  const parts = [
    start.length > 0 ? `start ${start.join(" ")}` : "",
    ...[...backingOff].map(([name, ms]) => `${name} backs off ${ms / 1000} s`),
    wakeAt === undefined ? "" : `wake in ${(wakeAt - now) / 1000} s`,
    initialized ? "" : "initializing",
    finished ?? "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? "nothing" : parts.join("; ");
}

interface ImageCase {
  name: string;
  container: Container;
  missing?: string[];
  expect?: string;
  refused?: string;
}
eachCase("images.yaml", ({ container, missing = [], expect, refused }: ImageCase) => {
  const resolved = resolveImage(container, (program) =>
    missing.includes(program) ? undefined : `/usr/bin/${program}`,
  );
  if (refused === undefined) assert.equal(resolved.ok && resolved.args.join(" "), expect);
  else assert.match(resolved.ok ? "" : resolved.message, new RegExp(refused.replaceAll(/[.()]/g, "\\$&")));
});
