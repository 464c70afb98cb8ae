import assert from "node:assert/strict";
import { test } from "node:test";
import { bootstrap } from "#apiserver/bootstrap.ts";
import { startTestServer } from "../../fakes/api-server.ts";

test("a new cluster has its namespaces and the kubernetes Service, whose endpoints follow the server", async (t) => {
  const server = await startTestServer();
  t.after(() => server.stop());
  const client = server.localClient({ name: "test", groups: ["system:masters"] });
  const key = { namespace: "default", name: "kubernetes" };
  await bootstrap(client, { serviceCidrs: ["10.96.0.0/12"], serviceAddress: "10.96.0.1", apiEndpoints: [] });
  const names = (await client.list("Namespace")).items.map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ["default", "kube-node-lease", "kube-public", "kube-system"]);
  assert.equal((await client.get("Service", key))?.spec.clusterIP, "10.96.0.1");
  assert.deepEqual((await client.get("EndpointSlice", key))?.endpoints, []);

  const apiEndpoints = [{ address: "172.30.0.254", port: 6443 }];
  await bootstrap(client, { serviceCidrs: ["10.96.0.0/12"], serviceAddress: "10.96.0.1", apiEndpoints });
  const slice = await client.get("EndpointSlice", key);
  assert.deepEqual(
    slice?.endpoints?.map(({ addresses }) => addresses),
    [["172.30.0.254"]],
  );
  assert.equal(slice?.ports?.[0]?.port, 6443);
  assert.equal(slice?.metadata.labels?.["kubernetes.io/service-name"], "kubernetes");
  const subsets = (await client.get("Endpoints", key))?.subsets;
  assert.deepEqual(subsets?.[0]?.addresses, [{ ip: "172.30.0.254" }]);

  const before = server.registry.revision();
  await bootstrap(client, { serviceCidrs: ["10.96.0.0/12"], serviceAddress: "10.96.0.1", apiEndpoints });
  assert.equal(server.registry.revision(), before, "what is right is left alone");
});
