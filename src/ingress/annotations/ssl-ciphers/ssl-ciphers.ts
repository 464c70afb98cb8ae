import { parseCiphers } from "../../tls-values.ts";
import { nginx, type AnnotationGroup } from "../group.ts";

const key = `${nginx}ssl-ciphers`;

/** `ssl-ciphers`: the ciphers of TLS 1.2 for the hosts; the oldest Ingress of a host decides. */
export const sslCiphers: AnnotationGroup = {
  name: "ssl-ciphers",
  keys: [key],
  parse(reader) {
    const ciphers = reader.read(key, parseCiphers, "ignore", "ciphers as OpenSSL names them, parted by colons");
    return ciphers === undefined ? {} : { ciphers };
  },
};
