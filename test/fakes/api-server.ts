import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCertificates, type Certificates } from "#apiserver/certificates.ts";
import { startApiServer, type ApiServerOptions, type RunningApiServer } from "#apiserver/start.ts";
import { createRemoteClient, type RemoteClient } from "#client/remote.ts";
import { createMemoryStore } from "#store/drivers/memory.ts";

export interface TestServer extends RunningApiServer {
  readonly certificates: Certificates;
  readonly url: string;
}

let issued: Promise<Certificates> | undefined;

/** One set of certificates for all tests of a run: issuing is slow, and nothing is changed. */
export function testCertificates(): Promise<Certificates> {
  issued ??= (async () => {
    const directory = mkdtempSync(join(tmpdir(), "fairlead-test-"));
    try {
      return await loadCertificates({ directory });
    } finally {
      rmSync(directory, { recursive: true });
    }
  })();
  return issued;
}

/** A real API server on a free port over a store in memory; `stop` ends it. */
export async function startTestServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const certificates = await testCertificates();
  const listen = [{ host: "127.0.0.1", port: 0 }];
  const server = await startApiServer({ store: createMemoryStore(), certificates, listen, ...options });
  return { ...server, certificates, url: `https://127.0.0.1:${server.addresses()[0]?.port}` };
}

/** A remote client of that server, as its administrator by default. */
export function connectedClient({ certificates, url }: TestServer, who: "admin" | "agent" = "admin"): RemoteClient {
  return createRemoteClient({ server: url, ca: certificates.ca, ...certificates[who], name: "test" });
}
