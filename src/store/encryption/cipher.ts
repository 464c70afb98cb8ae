import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** One way of keeping a value, with one key. */
export interface Cipher {
  /** What a value kept this way begins with: `k8s:enc:aesgcm:v1:KEY:`, as upstream writes it. */
  readonly prefix: string;
  /** `key` is the key of the entry: a value that is moved to another one is not taken there, where the cipher can tell. */
  seal(key: string, plain: Uint8Array): Buffer;
  /** Throws for what was not sealed with this key. */
  open(key: string, sealed: Uint8Array): Buffer;
}

export type CipherName = "aesgcm" | "aescbc";

/** All values that are not kept as they are begin with this. */
export const sealedMark = "k8s:enc:";

const nonceBytes = 12;
const tagBytes = 16;
const blockBytes = 16;
const openBrace = "{".charCodeAt(0);

/**
 * AES in the form that upstream's API server keeps it in (`apiserver/pkg/storage/value/encrypt/aes`): GCM with a random
 * nonce before the text, the tag behind it and the entry's key as authenticated data; CBC with a random first block before
 * the text, for JSON objects only. The secret has 16, 24 or 32 bytes.
 */
export function createCipher(name: CipherName, keyName: string, secret: Uint8Array): Cipher {
  const prefix = `${sealedMark}${name}:v1:${keyName}:`;
  const start = Buffer.from(prefix);
  const bits = (secret.length * 8) as 128 | 192 | 256;
  const body = (sealed: Uint8Array) =>
    Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length).subarray(start.length);
  if (name === "aescbc") {
    const algorithm = `aes-${bits}-cbc`;
    return {
      prefix,
      seal(_key, plain) {
        const first = randomBytes(blockBytes);
        const cipher = createCipheriv(algorithm, secret, first);
        return Buffer.concat([start, first, cipher.update(plain), cipher.final()]);
      },
      open(_key, sealed) {
        const data = body(sealed);
        const decipher = createDecipheriv(algorithm, secret, data.subarray(0, blockBytes));
        const plain = Buffer.concat([decipher.update(data.subarray(blockBytes)), decipher.final()]);
        // Nothing but its end tells that it was another key, and that is right by chance now and then.
        if (plain[0] !== openBrace) throw new Error("not a JSON object");
        return plain;
      },
    };
  }
  const algorithm = `aes-${bits}-gcm` as const;
  return {
    prefix,
    seal(key, plain) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, secret, nonce).setAAD(Buffer.from(key));
      return Buffer.concat([start, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(key, sealed) {
      const data = body(sealed);
      if (data.length < nonceBytes + tagBytes) throw new Error("too short");
      const nonce = data.subarray(0, nonceBytes);
      const decipher = createDecipheriv(algorithm, secret, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(key));
      decipher.setAuthTag(data.subarray(-tagBytes));
      return Buffer.concat([decipher.update(data.subarray(nonceBytes, -tagBytes)), decipher.final()]);
    },
  };
}
