import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";
import type { Authority } from "./authority.ts";

/** What openssl needs to answer about the certificates of an authority. */
export interface OcspFiles {
  /** Flags of `openssl ocsp`. */
  readonly args: readonly string[];
  readonly file: (name: string, content?: string | Buffer) => string;
  readonly remove: () => void;
}

/** Every one of `known` is good, unless it is among `revoked`. */
export function ocspFiles(authority: Authority, known: readonly string[], revoked: readonly string[] = []): OcspFiles {
  const dir = mkdtempSync(join(tmpdir(), "fairlead-ocsp-"));
  const file = (name: string, content?: string | Buffer) => {
    const path = join(dir, name);
    if (content !== undefined) writeFileSync(path, content);
    return path;
  };
  // status, expiry, revocation, serial, file, subject
  const lines = known.map((cert) => {
    const { serialNumber } = new X509Certificate(cert);
    const isRevoked = revoked.includes(cert);
    return [
      isRevoked ? "R" : "V",
      "460101000000Z",
      isRevoked ? "260102000000Z" : "",
      serialNumber,
      "unknown",
      "/CN=x",
    ].join("\t");
  });
  const ca = file("ca.crt", authority.cert);
  const index = file("index.txt", lines.map((line) => `${line}\n`).join(""));
  const args = [
    "ocsp",
    "-index",
    index,
    "-CA",
    ca,
    "-rsigner",
    ca,
    "-rkey",
    file("ca.key", authority.key),
    "-ndays",
    "7",
  ];
  return { args, file, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** What openssl answers to a request, as DER. */
export function answerOcsp({ args, file }: OcspFiles, request: Buffer): Buffer {
  const asked = ["-reqin", file("request.der", request), "-respout", file("response.der")];
  execFileSync("openssl", [...args, ...asked], { stdio: "pipe" });
  return execFileSync("cat", [file("response.der")]);
}

/** `openssl ocsp` listening on a port of this machine. */
export function serveOcsp({ args }: OcspFiles, port: number): ChildProcess {
  return spawn("openssl", [...args, "-port", String(port), "-ignore_err"], { stdio: "ignore" });
}
