import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";

/** The key that signs the tokens of ServiceAccounts: JSON web tokens (RFC 7519) with ES256 (RFC 7518 section 3.4). */
export interface TokenKey {
  sign(claims: object): string;
  /** The claims of a token that this key has signed; `undefined` for any other text. Says nothing about its time. */
  open(token: string): unknown;
  /** The public half, as a JSON web key set shows it (RFC 7517). */
  readonly publicKey: Readonly<Record<string, unknown>>;
}

const algorithm = "ES256";

/** A new P-256 key as PEM. */
export function generateTokenKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" });
}

/** Throws for a text that holds no P-256 key. */
export function readTokenKey(pem: string): TokenKey {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw new Error("not a P-256 key");
  const publicKey = createPublicKey(key);
  const der = publicKey.export({ type: "spki", format: "der" });
  const kid = createHash("sha256").update(der).digest("base64url");
  const head = encode({ alg: algorithm, kid });
  const dsaEncoding = "ieee-p1363" as const;
  return {
    sign(claims) {
      const signed = `${head}.${encode(claims)}`;
      return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding }).toString("base64url")}`;
    },
    open(token) {
      const [givenHead, body, signature, ...more] = token.split(".");
      // The head is our own, letter for letter: what a token says about its algorithm is never believed.
      if (givenHead !== head || body === undefined || signature === undefined || more.length > 0) return undefined;
      const proof = Buffer.from(signature, "base64url");
      const signed = Buffer.from(`${givenHead}.${body}`);
      if (!verify("sha256", signed, { key: publicKey, dsaEncoding }, proof)) return undefined;
      return JSON.parse(Buffer.from(body, "base64url").toString("utf8")) as unknown;
    },
    publicKey: { use: "sig", ...publicKey.export({ format: "jwk" }), kid, alg: algorithm },
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
