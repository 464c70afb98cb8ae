import { X509Certificate, createPrivateKey } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { issueAuthority, issueCertificate, type Subject } from "./auth/issue.ts";
import type { KeyPair } from "./auth/key-pair.ts";
import { nodes, nodeUser } from "./auth/node/identity.ts";
import { generateTokenKey, readTokenKey } from "./auth/tokens/key.ts";

/** All that the API server and its clients present to each other. */
export interface Certificates {
  /** PEM of the cluster's authority. */
  readonly ca: string;
  readonly server: KeyPair;
  /** `O=system:masters`: the kubeconfig for people. */
  readonly admin: KeyPair;
  /** By node, `CN=system:node:NAME, O=system:nodes`: what an agent shows for it. */
  readonly nodes: Readonly<Record<string, KeyPair>>;
  /** `CN=system:kube-proxy`: the service proxies. */
  readonly proxy: KeyPair;
  /** `CN=system:load-balancer`: those who announce outside addresses for the nodes. */
  readonly loadBalancer: KeyPair;
  /** PEM of the private key that signs tokens of ServiceAccounts. */
  readonly tokenKey: string;
}

export interface CertificateOptions {
  /** Where the files live (created 0700); key files are 0600. */
  directory: string;
  clusterDomain?: string;
  /** First address of the service range; 10.96.0.1 by default. */
  serviceAddress?: string;
  /** Further names and addresses the server is reached by (uplink, user's own). */
  names?: readonly string[];
  /** The nodes that get a certificate; none by default. */
  nodes?: readonly string[];
  /** Milliseconds since the epoch; the system's time by default. */
  now?: number;
}

/** The name of a node's files. */
export function nodeFile(node: string): string {
  return `kubelet-${node}`;
}

const renewBeforeMs = 30 * 24 * 3600 * 1000;

/**
 * Loads the certificates of `directory`, and issues what is missing, near its end, or lacks a name. The authority is
 * made once and kept until it nears its own end; then everything is issued anew.
 */
export async function loadCertificates(options: CertificateOptions): Promise<Certificates> {
  const { directory, clusterDomain = "cluster.local", serviceAddress = "10.96.0.1", names = [] } = options;
  const now = options.now ?? Date.now();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);

  const held = readPair(directory, "ca");
  const authority =
    held !== undefined && lasts(held, now) ? held : await write(directory, "ca", issueAuthority("fairlead-ca", now));
  const serverNames = [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    `kubernetes.default.svc.${clusterDomain}`,
    "127.0.0.1",
    serviceAddress,
    ...names,
  ];
  const load = async (file: string, subject: Subject): Promise<KeyPair> => {
    const pair = readPair(directory, file);
    if (pair !== undefined && lasts(pair, now) && fits(pair, subject, authority)) return pair;
    return write(directory, file, issueCertificate(authority, subject, now));
  };
  return {
    ca: authority.cert,
    server: await load("server", { commonName: "fairlead-server", names: [...new Set(serverNames)] }),
    admin: await load("admin", { commonName: "fairlead-admin", organization: "system:masters" }),
    tokenKey: loadTokenKey(directory),
    proxy: await load("kube-proxy", { commonName: "system:kube-proxy" }),
    loadBalancer: await load("load-balancer", { commonName: "system:load-balancer" }),
    nodes: Object.fromEntries(
      await Promise.all(
        (options.nodes ?? []).map(async (node) => {
          const subject = { commonName: nodeUser(node), organization: nodes };
          return [node, await load(nodeFile(node), subject)] as const;
        }),
      ),
    ),
  };
}

/** `undefined` for files that are not there or do not hold a pair that belongs together. */
function readPair(directory: string, file: string): KeyPair | undefined {
  try {
    const cert = readFileSync(join(directory, `${file}.crt`), "utf8");
    const key = readFileSync(join(directory, `${file}.key`), "utf8");
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)) ? { cert, key } : undefined;
  } catch {
    return undefined;
  }
}

function lasts({ cert }: KeyPair, now: number): boolean {
  const { validFrom, validTo } = new X509Certificate(cert);
  return Date.parse(validFrom) <= now && Date.parse(validTo) - renewBeforeMs > now;
}

function fits({ cert }: KeyPair, { names = [], commonName, organization }: Subject, authority: KeyPair): boolean {
  const certificate = new X509Certificate(cert);
  const { publicKey } = new X509Certificate(authority.cert);
  const subject = certificate.subject.split("\n");
  return (
    certificate.verify(publicKey) &&
    subject.includes(`CN=${commonName}`) &&
    (organization === undefined || subject.includes(`O=${organization}`)) &&
    names.every((name) => covers(certificate, name))
  );
}

function covers(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}

/** Made once: with another key, every token that has been given out would be worth nothing. */
function loadTokenKey(directory: string): string {
  const path = join(directory, "service-accounts.key");
  try {
    const held = readFileSync(path, "utf8");
    readTokenKey(held);
    return held;
  } catch {
    const made = generateTokenKey();
    writeWhole(path, made);
    return made;
  }
}

/** The key first: a certificate without its key would be taken for whole. Each file changes at once or not at all. */
async function write(directory: string, file: string, issued: Promise<KeyPair>): Promise<KeyPair> {
  const pair = await issued;
  for (const [ending, text] of [
    ["key", pair.key],
    ["crt", pair.cert],
  ] as const) {
    writeWhole(join(directory, `${file}.${ending}`), text);
  }
  return pair;
}

function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
