import { hash } from "node:crypto";
import { bcrypt } from "./bcrypt.ts";
import { md5Crypt, shaCrypt, type Steps } from "./crypt.ts";

/** Above these a single sign-in would take seconds of a worker. */
const maxCost = 14;
const maxRounds = 500_000;

/** A way to store passwords: gives the steps that make a password's text out of it, to be compared with the stored one. */
type Scheme = (stored: string) => ((password: Buffer) => Steps) | undefined;

const schemes: readonly Scheme[] = [
  (stored) => {
    const [, magic = "", salt] = /^(\$(?:apr1|1)\$)([^$]{0,8})\$[./0-9A-Za-z]{22}$/.exec(stored) ?? [];
    return salt === undefined ? undefined : (password) => md5Crypt(password, salt, magic);
  },
  (stored) => {
    const found = /^\$([56])\$(?:rounds=(\d{4,6})\$)?([^$]{0,16})\$[./0-9A-Za-z]{43,86}$/.exec(stored);
    if (found === null) return undefined;
    const [, variant, rounds, salt = ""] = found;
    const count = rounds === undefined ? undefined : Number(rounds);
    if (count !== undefined && (count < 1000 || count > maxRounds)) return undefined;
    return (password) => shaCrypt(password, salt, variant as "5" | "6", count);
  },
  (stored) => {
    const found = /^(\$2[aby]\$)(\d\d)\$([./0-9A-Za-z]{22})[./0-9A-Za-z]{31}$/.exec(stored);
    if (found === null) return undefined;
    const [, prefix = "", cost = "", salt = ""] = found;
    if (Number(cost) < 4 || Number(cost) > maxCost) return undefined;
    return (password) => bcrypt(password, prefix, Number(cost), salt);
  },
  (stored) => {
    if (!/^\{SHA\}[+/0-9A-Za-z]{27}=$/.test(stored)) return undefined;
    return (password) => atOnce(`{SHA}${hash("sha1", password, "base64")}`);
  },
  (stored) => {
    const text = /^\{SSHA\}([+/0-9A-Za-z]+={0,2})$/.exec(stored)?.[1];
    const salt = text === undefined ? undefined : Buffer.from(text, "base64").subarray(20);
    if (salt === undefined) return undefined;
    return (password) => {
      const digest = hash("sha1", Buffer.concat([password, salt]), "buffer");
      return atOnce(`{SSHA}${Buffer.concat([digest, salt]).toString("base64")}`);
    };
  },
  (stored) => (stored.startsWith("{PLAIN}") ? (password) => atOnce(`{PLAIN}${password.toString("utf8")}`) : undefined),
];

// oxlint-disable-next-line require-yield
function* atOnce(text: string): Steps {
  return text;
}

/**
 * How to make the text that equals `stored` when the password is right: htpasswd's apr1, bcrypt, `{SHA}`, and `{SSHA}`,
 * `{PLAIN}`, crypt(3)'s `$1$`, `$5$` and `$6$`. `undefined` for anything else, the crypt(3) of DES among it.
 */
export function schemeOf(stored: string): ((password: Buffer) => Steps) | undefined {
  for (const scheme of schemes) {
    const found = scheme(stored);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether a stored password can be checked here. */
export function isStoredPassword(stored: string): boolean {
  return schemeOf(stored) !== undefined;
}
