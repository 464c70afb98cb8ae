import type { Node } from "#api/core/node/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";

/**
 * A pod in one line: its name, then words in any order. `ip=10.0.0.1[,fd00::1] node=n1 ready terminating phase=Failed
 * http=8080 dns=53/UDP sidecar:metrics=9090 hostname=h subdomain=s`.
 */
export function parsePodLine(line: string): Pod {
  const [name = "", ...words] = line.split(/\s+/);
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "dev", uid: `uid-${name}`, labels: { app: "web" } },
    spec: {
      containers: [{ name: "main", ports: [] }],
      initContainers: [{ name: "side", restartPolicy: "Always", ports: [] }],
    },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "False" }] },
  };
  for (const word of words) applyWord(pod, word);
  return pod;
}

function applyWord(pod: Pod, word: string): void {
  const [key = "", value = ""] = word.split("=");
  const { spec, status = {}, metadata } = pod;
  if (key === "ready") status.conditions = [{ type: "Ready", status: "True" }];
  else if (key === "terminating") metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  else if (key === "phase") status.phase = value as "Failed";
  else if (key === "node") spec.nodeName = value;
  else if (key === "hostname") spec.hostname = value;
  else if (key === "subdomain") spec.subdomain = value;
  else if (key === "ip") {
    status.podIPs = value.split(",").map((ip) => ({ ip }));
    status.podIP = status.podIPs[0]?.ip;
  } else {
    const [port, protocol = "TCP"] = value.split("/");
    const container = key.startsWith("sidecar:") ? spec.initContainers?.[0] : spec.containers[0];
    const name = key.replace("sidecar:", "");
    container?.ports?.push({ name, containerPort: Number(port), protocol: protocol as "TCP" });
  }
}

/** A node in one line: `n1 zone=a cpu=4 notready control-plane`; ready, with one processor, unless it says otherwise. */
export function parseNodeLine(line: string): Node {
  const [name = "", ...words] = line.split(/\s+/);
  const valueOf = (key: string) => words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  const zone = valueOf("zone");
  const labels: Record<string, string> = {
    ...(zone !== undefined && { "topology.kubernetes.io/zone": zone }),
    ...(words.includes("control-plane") && { "node-role.kubernetes.io/control-plane": "" }),
  };
  const status = words.includes("notready") ? "False" : "True";
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels },
    status: { allocatable: { cpu: valueOf("cpu") ?? "1" }, conditions: [{ type: "Ready", status }] },
  };
}
