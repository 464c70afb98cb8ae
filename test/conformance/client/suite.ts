import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isApiError, type StatusReason } from "#api/meta/status.ts";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Client, Scope, WatchEnd, WatchEvent } from "#client/contract.ts";

export interface Subject {
  readonly client: Client;
  /** Ends whatever the client stands on. */
  readonly close: () => Promise<void>;
}

/** What is left out by an implementation on purpose, with the reason. */
export interface Omissions {
  readonly serverRules?: string;
}

/** The suite every client passes: `open` gives a client to an API that has namespaces `default` and `other`. */
export function describeClient(name: string, open: () => Promise<Subject>, omit: Omissions = {}): void {
  const within = (promise: string, body: (client: Client) => Promise<void>, skip?: string) =>
    void it(promise, { skip: skip ?? false }, async () => {
      const { client, close } = await open();
      try {
        await body(client);
      } finally {
        await close();
      }
    });

  void describe(`the ${name} client`, () => {
    within("creates an object and reads it back with uid, revision and time", async (client) => {
      const created = await client.create("ConfigMap", configMap("a"));
      assert.match(created.metadata.uid ?? "", /^[0-9a-f-]{36}$/);
      assert.ok(Number(created.metadata.resourceVersion) > 0);
      assert.ok(!Number.isNaN(Date.parse(created.metadata.creationTimestamp ?? "")));
      assert.equal(created.kind, "ConfigMap");
      assert.deepEqual(await client.get("ConfigMap", key("a")), created);
    });

    within("gives objects without managedFields, however they come", async (client) => {
      const seen: ConfigMap[] = [await client.create("ConfigMap", configMap("a"))];
      const { resourceVersion } = await client.list("ConfigMap");
      const told = Promise.withResolvers<ConfigMap>();
      const sink = { event: ({ object }: WatchEvent<ConfigMap>) => told.resolve(object), end: () => {} };
      const stop = client.watch("ConfigMap", { since: resourceVersion }, sink);
      seen.push(await client.patch("ConfigMap", key("a"), { data: { k: "2" } }), await told.promise);
      stop();
      const read = await client.get("ConfigMap", key("a"));
      assert.ok(read);
      seen.push(read, await client.update("ConfigMap", { ...read, data: {} }));
      seen.push(...(await client.list("ConfigMap", { namespace: "default" })).items);
      for (const { metadata } of seen) assert.equal(metadata.managedFields, undefined);
    });

    within("answers undefined for what is not there", async (client) => {
      assert.equal(await client.get("ConfigMap", key("none")), undefined);
    });

    within("refuses to create what exists", async (client) => {
      await client.create("ConfigMap", configMap("a"));
      await refused(client.create("ConfigMap", configMap("a")), "AlreadyExists");
    });

    within("makes up the rest of a generated name", async (client) => {
      const made = { metadata: { generateName: "job-", namespace: "default" }, data: {} };
      const { metadata } = await client.create("ConfigMap", made);
      assert.match(metadata.name, /^job-.{5}$/);
    });

    within("lists in key order, by namespace and by labels", async (client) => {
      for (const name of ["c", "a", "b"]) await client.create("ConfigMap", configMap(name, { app: name }));
      await client.create("ConfigMap", configMap("a", { app: "a" }, "other"));
      const names = async (scope: Scope) =>
        (await client.list("ConfigMap", scope)).items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
      assert.deepEqual(await names({}), ["default/a", "default/b", "default/c", "other/a"]);
      assert.deepEqual(await names({ namespace: "other" }), ["other/a"]);
      assert.deepEqual(await names({ labelSelector: "app in (a,c)" }), ["default/a", "default/c", "other/a"]);
      assert.deepEqual(await names({ fieldSelector: "metadata.name=b" }), ["default/b"]);
      assert.deepEqual(await names({ namespace: "default", fieldSelector: "metadata.name!=b" }), [
        "default/a",
        "default/c",
      ]);
    });

    within("refuses an update by a stale revision and takes one by the newest", async (client) => {
      const first = await client.create("ConfigMap", configMap("a"));
      const second = await client.update("ConfigMap", { ...first, data: { step: "2" } });
      await refused(client.update("ConfigMap", { ...first, data: { step: "x" } }), "Conflict");
      assert.ok(Number(second.metadata.resourceVersion) > Number(first.metadata.resourceVersion));
      assert.equal(second.metadata.uid, first.metadata.uid);
    });

    within("refuses to update and to delete what is not there", async (client) => {
      const object = { apiVersion: "v1", kind: "ConfigMap", metadata: key("none") } as ConfigMap;
      await refused(client.update("ConfigMap", object), "NotFound");
      await refused(client.delete("ConfigMap", key("none")), "NotFound");
      await refused(client.patch("ConfigMap", key("none"), { data: {} }), "NotFound");
    });

    within("writes status apart from the rest", async (client) => {
      const balanced = service("web");
      const made = await client.create("Service", { ...balanced, spec: { ...balanced.spec, type: "LoadBalancer" } });
      const status = { loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP" as const }] } };
      const changed = { ...made, spec: { ...made.spec, sessionAffinity: "ClientIP" as const }, status };
      const updated = await client.updateStatus("Service", changed);
      assert.deepEqual(updated.status?.loadBalancer, status.loadBalancer);
      assert.equal(updated.spec.sessionAffinity, made.spec.sessionAffinity);
      const labelled = {
        ...updated,
        metadata: { ...updated.metadata, labels: { a: "b" } },
        status: { loadBalancer: {} },
      };
      const kept = await client.update("Service", labelled);
      assert.deepEqual(kept.status?.loadBalancer, status.loadBalancer);
    });

    within("merges a patch, and null takes away", async (client) => {
      await client.create("ConfigMap", { ...configMap("a", { keep: "1", drop: "1" }), data: { x: "1" } });
      const patched = await client.patch("ConfigMap", key("a"), {
        metadata: { labels: { drop: null, add: "1" } },
        data: { y: "2" },
      });
      assert.deepEqual(patched.metadata.labels, { keep: "1", add: "1" });
      assert.deepEqual(patched.data, { x: "1", y: "2" });
    });

    within("deletes by uid only the object of that uid", async (client) => {
      const made = await client.create("ConfigMap", configMap("a"));
      await refused(client.delete("ConfigMap", key("a"), { preconditions: { uid: "another" } }), "Conflict");
      await client.delete("ConfigMap", key("a"), { preconditions: { uid: made.metadata.uid ?? "" } });
      assert.equal(await client.get("ConfigMap", key("a")), undefined);
    });

    within("keeps what has finalizers until the last one goes", async (client) => {
      const made = configMap("a");
      await client.create("ConfigMap", { ...made, metadata: { ...made.metadata, finalizers: ["example.org/hold"] } });
      await client.delete("ConfigMap", key("a"));
      const going = await client.get("ConfigMap", key("a"));
      assert.ok(going?.metadata.deletionTimestamp);
      await client.update("ConfigMap", { ...going, metadata: { ...going.metadata, finalizers: [] } });
      assert.equal(await client.get("ConfigMap", key("a")), undefined);
    });

    within("keeps a deleted Namespace until a patch of finalize leaves none of its own finalizers", async (client) => {
      const made = await client.create("Namespace", {
        metadata: { name: "gone" },
        spec: { finalizers: ["kubernetes"] },
      });
      assert.deepEqual(made.spec?.finalizers, ["kubernetes"]);
      await client.delete("Namespace", { name: "gone" });
      const going = await client.get("Namespace", { name: "gone" });
      assert.ok(going?.metadata.deletionTimestamp);
      await client.patch("Namespace", { name: "gone" }, { metadata: { labels: { still: "here" } } });
      assert.ok(await client.get("Namespace", { name: "gone" }));
      await client.patch("Namespace", { name: "gone" }, { spec: { finalizers: [] } }, { subresource: "finalize" });
      assert.equal(await client.get("Namespace", { name: "gone" }), undefined);
    });

    within("tells a watch of each change after its revision, once and in order", async (client) => {
      const first = await client.create("ConfigMap", configMap("a"));
      const watch = follow(client, { namespace: "default", since: first.metadata.resourceVersion ?? "" });
      const second = await client.update("ConfigMap", { ...first, data: { step: "2" } });
      await client.create("ConfigMap", configMap("b"));
      await client.create("ConfigMap", configMap("unseen", {}, "other"));
      await client.delete("ConfigMap", key("a"));
      const events = await watch.until(3);
      assert.deepEqual(events.map(brief), ["MODIFIED a", "ADDED b", "DELETED a"]);
      assert.equal(events[0]?.object.metadata.resourceVersion, second.metadata.resourceVersion);
      const revisions = events.map(({ object }) => Number(object.metadata.resourceVersion));
      assert.deepEqual(
        revisions,
        [...new Set(revisions)].sort((a, b) => a - b),
      );
      watch.stop();
    });

    within("starts a watch where a list ended", async (client) => {
      await client.create("ConfigMap", configMap("a"));
      const { resourceVersion, items } = await client.list("ConfigMap", { namespace: "default" });
      assert.equal(items.length, 1);
      await client.create("ConfigMap", configMap("b"));
      const watch = follow(client, { namespace: "default", since: resourceVersion });
      assert.deepEqual((await watch.until(1)).map(brief), ["ADDED b"]);
      watch.stop();
    });

    within("tells a selecting watch of objects that begin and cease to match", async (client) => {
      const { resourceVersion } = await client.list("ConfigMap");
      const watch = follow(client, { labelSelector: "tier=front", since: resourceVersion });
      const made = await client.create("ConfigMap", configMap("a", { tier: "back" }));
      const front = await client.update("ConfigMap", withLabels(made, { tier: "front" }));
      await client.update("ConfigMap", withLabels(front, { tier: "back" }));
      const events = await watch.until(2);
      assert.deepEqual(events.map(brief), ["ADDED a", "DELETED a"]);
      assert.deepEqual(events[1]?.object.metadata.labels, { tier: "front" });
      watch.stop();
    });

    within("tells a stopped watch nothing more", async (client) => {
      const { resourceVersion } = await client.list("ConfigMap");
      const stopped = follow(client, { since: resourceVersion });
      const witness = follow(client, { since: resourceVersion });
      stopped.stop();
      await client.create("ConfigMap", configMap("a"));
      await witness.until(1);
      assert.deepEqual(stopped.events, []);
      assert.deepEqual(stopped.ends, []);
      witness.stop();
    });

    within(
      "carries the server's reasons for refusing an object",
      async (client) => {
        const wrong = { ...service("web"), spec: { ports: [{ port: 0 }] } };
        const error = await client.create("Service", wrong as never).then(
          () => undefined,
          (error: unknown) => error,
        );
        assert.ok(isApiError(error, "Invalid"));
        assert.equal(error.code, 422);
        assert.equal(error.details?.causes?.[0]?.field, "spec.ports[0].port");
        await refused(client.create("ConfigMap", configMap("a", {}, "nowhere")), "NotFound");
      },
      omit.serverRules,
    );

    within(
      "does not store a write that changes nothing",
      async (client) => {
        const made = await client.create("ConfigMap", { ...configMap("a"), data: { x: "1" } });
        const again = await client.update("ConfigMap", made);
        assert.equal(again.metadata.resourceVersion, made.metadata.resourceVersion);
        const patched = await client.patch("ConfigMap", key("a"), { data: { x: "1" } });
        assert.equal(patched.metadata.resourceVersion, made.metadata.resourceVersion);
      },
      omit.serverRules,
    );

    within(
      "scales by the scale subresource",
      async (client) => {
        const labels = { app: "web" };
        await client.create("Deployment", {
          metadata: key("web"),
          spec: {
            selector: { matchLabels: labels },
            template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "web" }] } },
          },
        });
        const scaled = await client.patch(
          "Deployment",
          key("web"),
          { spec: { replicas: 3 } },
          { subresource: "scale" },
        );
        assert.equal(scaled.kind, "Deployment");
        assert.equal(scaled.spec.replicas, 3);
        assert.equal(scaled.metadata.generation, 2);
      },
      omit.serverRules,
    );
  });
}

const key = (name: string, namespace = "default") => ({ namespace, name });

function configMap(name: string, labels: Record<string, string> = {}, namespace = "default") {
  return { metadata: { name, namespace, ...(Object.keys(labels).length > 0 && { labels }) } };
}

function service(name: string) {
  return { metadata: key(name), spec: { selector: { app: name }, ports: [{ port: 80 }] } };
}

function withLabels(object: ConfigMap, labels: Record<string, string>): ConfigMap {
  return { ...object, metadata: { ...object.metadata, labels } };
}

async function refused(call: Promise<unknown>, reason: StatusReason): Promise<void> {
  await assert.rejects(call, (error) => isApiError(error, reason) || assert.fail(`not ${reason}: ${String(error)}`));
}

function brief({ type, object }: WatchEvent<ConfigMap>): string {
  return `${type} ${object.metadata.name}`;
}

/** A watch whose events are kept; `until` resolves when there are so many. */
function follow(client: Client, scope: Scope & { since: string }) {
  const events: WatchEvent<ConfigMap>[] = [];
  const ends: WatchEnd[] = [];
  let wake = () => {};
  const stop = client.watch("ConfigMap", scope, {
    event(event) {
      events.push(event);
      wake();
    },
    end(end) {
      ends.push(end);
      wake();
    },
  });
  const until = async (count: number) => {
    while (events.length < count) {
      assert.deepEqual(ends, [], "the watch ended");
      await new Promise<void>((resolve) => (wake = resolve));
    }
    return events;
  };
  return { events, ends, until, stop };
}
