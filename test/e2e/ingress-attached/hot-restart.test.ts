import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { eventually } from "../../fakes/eventually.ts";
import {
  childrenOf,
  createService,
  endpointAddress,
  startIngressProcess,
  startOtherCluster,
  whyNot,
} from "./cluster.ts";

/** Says its name, and echoes on WebSockets. */
async function startEndpoint(t: TestContext): Promise<number> {
  const server = createServer((_, response) => response.end("web")).listen(0, endpointAddress);
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** One request on a connection of its own, and what became of it. */
async function get(): Promise<string> {
  try {
    const asked = request({ host: "127.0.0.1", headers: { Host: "a.test" }, agent: false }).end();
    const [response] = (await once(asked, "response")) as [NodeJS.ReadableStream & { statusCode: number }];
    let text = "";
    for await (const part of response) text += String(part);
    return `${response.statusCode} ${text}`;
  } catch (error) {
    return String(error);
  }
}

test(
  "SIGUSR2 starts anew what serves: nobody is refused, nothing open breaks",
  { skip: whyNot, timeout: 180_000 },
  async (t) => {
    const cluster = await startOtherCluster(t, "examples/ingress");
    const { client } = cluster;
    await createService(client, "web", await startEndpoint(t));
    const backend = { service: { name: "web", port: { number: 80 } } };
    await client.create("Ingress", {
      metadata: { name: "web", namespace: "dev" },
      spec: {
        ingressClassName: "fairlead",
        rules: [{ host: "a.test", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      },
    });
    const attached = await startIngressProcess(t, cluster, "--drain-timeout", "60");
    const answers = new Map<string, number>();
    const load = { stop: false };
    const clients = Array.from({ length: 6 }, async () => {
      while (!load.stop) {
        const answer = await get();
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    });
    for (let turn = 0; turn < 3; turn += 1) {
      const before = childrenOf(attached.child.pid);
      const sockets = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const socket = new WebSocket("ws://127.0.0.1/", { headers: { Host: "a.test" } });
          await once(socket, "open");
          return socket;
        }),
      );
      const session = connectHttp2("http://127.0.0.1");
      await once(session, "remoteSettings");
      const goaway = once(session, "goaway");
      attached.child.kill("SIGUSR2");
      // The one before says that it goes, so the one after serves.
      await goaway;
      const after = childrenOf(attached.child.pid).filter((pid) => !before.includes(pid));
      assert.equal(after.length, 1);
      // What is open at the one before goes on there.
      for (const socket of sockets) {
        const echo = once(socket, "message");
        socket.send(`turn ${turn}`);
        assert.equal(String((await echo)[0]), `turn ${turn}`);
        const closed = once(socket, "close");
        socket.close();
        assert.equal((await closed)[0], 1005);
      }
      // With its last connection it ends.
      await eventually(() => !childrenOf(attached.child.pid).some((pid) => before.includes(pid)));
      const served = answers.get("200 web") ?? 0;
      await eventually(() => (answers.get("200 web") ?? 0) > served + 20);
    }
    load.stop = true;
    await Promise.all(clients);
    t.diagnostic(`answers: ${JSON.stringify([...answers])}`);
    assert.deepEqual([...answers.keys()], ["200 web"]);
  },
);
