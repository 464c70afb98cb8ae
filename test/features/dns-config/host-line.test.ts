import assert from "node:assert/strict";
import { test } from "node:test";
import { renderReach } from "#cli/render.ts";
import { renderHostLine, withoutLine } from "#roles/host-resolver.ts";

const at = { dns: "10.96.0.10", clusterDomain: "cluster.local", uplink: "flabcdup" };

test("with systemd-resolved the line is about the link to the nodes, which goes with the cluster", () => {
  assert.equal(
    renderHostLine("systemd-resolved", at),
    "resolvectl dns flabcdup 10.96.0.10 && resolvectl domain flabcdup '~cluster.local'",
  );
});

test("lines that would stay carry a mark by which they are known again when the cluster stops", () => {
  assert.match(renderHostLine("dnsmasq", at), /^echo 'server=\/cluster\.local\/10\.96\.0\.10 # fairlead' > \S+ && /);
  assert.match(renderHostLine("resolv.conf", at), /'nameserver 10\.96\.0\.10 # fairlead' .* > \/etc\/resolv\.conf$/);
});

const line = "nameserver 10.96.0.10 # fairlead";
const texts: [what: string, text: string, left: string | undefined][] = [
  ["our line", `${line}\nnameserver 192.0.2.1\n`, "nameserver 192.0.2.1\n"],
  ["our line twice", `${line}\n${line}\nsearch a\n`, "search a\n"],
  ["a line of somebody else for the same server", "nameserver 10.96.0.10\n", undefined],
  ["the line of another cluster", "nameserver 10.200.0.10 # fairlead\n", undefined],
  ["nothing", "", undefined],
];

for (const [what, text, left] of texts) {
  test(`of a file with ${what} ${left === undefined ? "nothing is taken" : "only that is taken"}`, () => {
    assert.equal(withoutLine(text, line), left);
  });
}

test("the line stands below the address of DNS, and not where there is none", () => {
  const reach = {
    urls: [],
    services: [],
    nodes: [],
    dns: at.dns,
    clusterDomain: at.clusterDomain,
    api: "",
    kubeconfig: "",
  };
  const hostLine = renderHostLine("systemd-resolved", at);
  assert.match(
    renderReach({ ...reach, hostLine }, false),
    /DNS .*\n +by name from this machine: resolvectl dns flabcdup/,
  );
  assert.doesNotMatch(renderReach(reach, false), /by name from this machine/);
});
