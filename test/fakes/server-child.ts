import { bootstrap } from "#apiserver/bootstrap.ts";
import { loadCertificates } from "#apiserver/certificates.ts";
import { startApiServer } from "#apiserver/start.ts";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { startElection } from "#controllers/leader-election/elect.ts";
import { startControllerManager, startSchedulerAlone } from "#controllers/start.ts";
import type { Store } from "#store/contract.ts";
import type { ServerPlace } from "./server-process.ts";

// An API server as a process of its own, so that it can be killed: where its objects are comes with its arguments, where
// it listens goes to the parent.
const { directory, store: place, candidate } = JSON.parse(process.argv[2] ?? "") as ServerPlace;
process.on("disconnect", () => process.exit(0));

async function openStore(): Promise<Store> {
  if ("file" in place) {
    const { openSqliteStore } = await import("#store/drivers/sqlite.ts");
    return openSqliteStore(place.file);
  }
  const { openEtcdStore } = await import("#store/drivers/etcd.ts");
  return openEtcdStore({ servers: place.etcd });
}

const [store, certificates] = await Promise.all([openStore(), loadCertificates({ directory })]);
const server = await startApiServer({ store, certificates, listen: [{ host: "127.0.0.1", port: 0 }] });
const client = server.localClient({ name: "system:controllers", groups: ["system:masters"] });
if (candidate !== undefined) {
  await bootstrap(client, { serviceCidrs: ["10.96.0.0/12"], serviceAddress: "10.96.0.1", apiEndpoints: [] });
  const options = { client, log: silentLog, clock: systemClock };
  const times = { leaseDuration: 4000, renewDeadline: 3000, retryPeriod: 500 };
  const leaders = { "kube-controller-manager": startControllerManager, "kube-scheduler": startSchedulerAlone };
  for (const [name, start] of Object.entries(leaders)) {
    startElection({ ...options, name, identity: candidate, times, lead: () => start(options) });
  }
}
process.send?.({ port: server.addresses()[0]?.port });
