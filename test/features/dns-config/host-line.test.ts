import assert from "node:assert/strict";
import { test } from "node:test";
import { renderReach } from "#cli/render.ts";
import { renderHostLine } from "#roles/host-resolver.ts";

const at = { dns: "10.96.0.10", clusterDomain: "cluster.local", uplink: "flabcdup" };

test("with systemd-resolved the line is about the link to the nodes, which goes with the cluster", () => {
  assert.equal(
    renderHostLine("systemd-resolved", at),
    "resolvectl dns flabcdup 10.96.0.10 && resolvectl domain flabcdup '~cluster.local'",
  );
});

test("what stays on the machine is said to stay", () => {
  assert.match(renderHostLine("dnsmasq", at), /server=\/cluster\.local\/10\.96\.0\.10 .*\(stays: remove/);
  assert.match(renderHostLine("resolv.conf", at), /nameserver 10\.96\.0\.10.*\(stays: take the line out/);
});

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
