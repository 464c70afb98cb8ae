import { isIP } from "node:net";
import type { ListenAddress } from "../contract.ts";

/**
 * `ADDRESS`, `ADDRESS:PORT`, `[ADDRESS]:PORT`, or `:PORT` where `anyAddress` says what that stands for; `undefined` for
 * everything else. A zone (`fe80::1%eth0`) may follow an IPv6 address.
 */
export function parseAddressPort(
  text: string,
  { port, anyAddress }: { port: number; anyAddress?: string },
): ListenAddress | undefined {
  const at = (address: string, digits: string | undefined): ListenAddress | undefined => {
    const number = digits === undefined ? port : parsePort(digits);
    const valid = isIP(address.split("%")[0] ?? "") !== 0 && (!address.includes("%") || address.includes(":"));
    return valid && number !== undefined ? { address, port: number } : undefined;
  };
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  if (bracketed !== null) return at(bracketed[1] ?? "", bracketed[2]);
  if (isIP(text.split("%")[0] ?? "") === 6) return at(text, undefined);
  const [address = "", digits, ...more] = text.split(":");
  if (more.length > 0) return undefined;
  return at(address === "" ? (anyAddress ?? "") : address === "localhost" ? "127.0.0.1" : address, digits);
}

/** Where names are asked: `ADDRESS` or `ADDRESS:PORT`, port 53 by default. */
export function parseUpstream(text: string): ListenAddress | undefined {
  const at = parseAddressPort(text, { port: 53 });
  return at?.port === 0 ? undefined : at;
}

/** A port from 0 to 65535; 0 lets the system choose. */
export function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined;
}

/** A domain name without the final dot, in lower case; `undefined` when a label is none (RFC 1035, underscores allowed). */
export function parseDomain(text: string): string | undefined {
  if (text === ".") return ".";
  const name = text.replace(/\.$/, "").toLowerCase();
  const valid =
    name.length <= 253 && name.split(".").every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  return valid ? name : undefined;
}
