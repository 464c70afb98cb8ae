import { createFakeClient } from "#client/fake.ts";
import { createLocalClient } from "#apiserver/local.ts";
import { openRegistry } from "#apiserver/registry/registry.ts";
import { kinds } from "#api/kinds.ts";
import { createMemoryStore } from "#store/drivers/memory.ts";
import { connectedClient, startTestServer } from "../../fakes/api-server.ts";
import { describeClient } from "./suite.ts";

const admin = { name: "admin", groups: ["system:masters"] };

describeClient("fake", async () => ({ client: createFakeClient(), close: async () => {} }), {
  serverRules: "the fake client neither defaults nor validates, by its contract",
});

describeClient("local", async () => {
  const store = createMemoryStore();
  const registry = await openRegistry({ store, definitions: kinds });
  const client = createLocalClient(registry, admin);
  for (const name of ["default", "other"]) await client.create("Namespace", { metadata: { name } });
  return {
    client,
    async close() {
      registry.stop();
      await store.close();
    },
  };
});

describeClient("remote", async () => {
  const server = await startTestServer();
  const client = connectedClient(server);
  for (const name of ["default", "other"]) await client.create("Namespace", { metadata: { name } });
  return {
    client,
    async close() {
      client.close();
      await server.stop();
    },
  };
});
