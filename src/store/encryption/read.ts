import { LineCounter, parseDocument } from "yaml";
import type { ConfigProblem } from "#api/config/problem.ts";
import { list, mapping, oneOf, rootPlace, text, type Place, type Reader } from "#api/config/yaml-shape.ts";
import { createCipher, type CipherName } from "./cipher.ts";
import type { EncryptionRule, Way } from "./rules.ts";

export interface ReadEncryption {
  readonly rules: readonly EncryptionRule[];
  /** In order of lines; with any of them nothing of the text should be used. */
  readonly problems: readonly ConfigProblem[];
}

/** A configuration is a page; the reader of YAML takes its time for what is nested without end. */
const longestText = 1 << 16;

interface Key {
  readonly name: string;
  readonly secret: Buffer;
}

interface Provider {
  readonly identity?: object;
  readonly aesgcm?: { readonly keys: readonly Key[] };
  readonly aescbc?: { readonly keys: readonly Key[] };
  readonly secretbox?: never;
  readonly kms?: never;
}

/**
 * Reads an EncryptionConfiguration (`apiserver.config.k8s.io/v1`), YAML or JSON, by upstream's rules
 * (`apiserver/pkg/apis/apiserver/validation/validation_encryption.go`). All problems are told at once, each with its line
 * and path, and never with a secret. Pure.
 */
export function readEncryption(source: string, name: string): ReadEncryption {
  const problems: ConfigProblem[] = [];
  const lines = new LineCounter();
  const at = (offset: number, text: string) =>
    problems.push({ file: name, line: Math.max(1, lines.linePos(offset).line), text, severity: "error" });
  if (source.length > longestText) {
    at(0, `the text is longer than ${longestText} characters`);
    return { rules: [], problems };
  }
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, logLevel: "silent" });
  // The parser's own words can hold what it stumbled over.
  for (const error of document.errors) at(error.pos[0], `this is no YAML (${error.code})`);
  if (problems.length > 0) return { rules: [], problems };
  const read = configuration(rootPlace(document.contents, lines, name, problems));
  problems.sort((a, b) => a.line - b.line);
  return problems.length > 0 || read === undefined ? { rules: [], problems } : { rules: read.resources, problems };
}

const nonEmpty =
  <T>(reader: Reader<T[]>): Reader<T[]> =>
  (place) => {
    const items = reader(place);
    if (items?.length === 0) place.tell(place.offset, `${place.path} must not be empty`);
    return items;
  };

/** The secret itself is in no message. */
const secret: Reader<Buffer> = ({ node, path, offset, tell }: Place) => {
  const { value } = (node ?? {}) as { value?: unknown };
  const bytes =
    typeof value === "string" && /^[A-Za-z0-9+/]+={0,2}$/.test(value) ? Buffer.from(value, "base64") : undefined;
  if (bytes !== undefined && [16, 24, 32].includes(bytes.length)) return bytes;
  const found = bytes === undefined ? "something else" : `${bytes.length} bytes`;
  tell(offset, `${path} must be 16, 24 or 32 random bytes in base64, not ${found}: head -c 32 /dev/urandom | base64`);
  return undefined;
};

const keyName = text(
  (value) => (/^[^:\s]+$/.test(value) ? value : undefined),
  "the name of a key, without colons and white space",
);

function keys(): Reader<{ keys: readonly Key[] }> {
  const read = mapping<{ keys: Key[] }>(
    { keys: nonEmpty(list(mapping<Key>({ name: keyName, secret }, ["name", "secret"]))) },
    ["keys"],
  );
  return (place) => {
    const found = read(place);
    const names = (found?.keys ?? []).map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined)
      place.tell(place.offset, `${place.path} has two keys of the name ${JSON.stringify(twice)}`);
    return found;
  };
}

const notHere =
  (why: string): Reader<never> =>
  ({ path, offset, tell }) => {
    tell(offset, `${path} ${why}: use aesgcm or aescbc`);
    return undefined;
  };

const provider = mapping<Provider>({
  identity: mapping<object>({}),
  aesgcm: keys(),
  aescbc: keys(),
  secretbox: notHere("is not offered here, since Node's cryptography has no XSalsa20"),
  kms: notHere("is not offered here"),
});

const ways: Reader<Way[]> = (place) => {
  const found = provider(place);
  if (found === undefined) return undefined;
  const named = Object.keys(found) as (keyof Provider)[];
  if (named.length > 1) place.tell(place.offset, `${place.path} must name one way, not ${named.join(" and ")}`);
  if (found.identity !== undefined) return ["identity"];
  return (["aesgcm", "aescbc"] as const).flatMap((cipher: CipherName) =>
    (found[cipher]?.keys ?? []).map(({ name, secret: bytes }) => createCipher(cipher, name, bytes)),
  );
};

const resource = text(
  (value) => (/^(\*|[a-z]+)(\.(\*|[a-z0-9.-]*))?$/.test(value) && value !== "*" ? value : undefined),
  "a resource such as secrets, deployments.apps, *.apps or *.*",
);

const rule: Reader<EncryptionRule> = (place) => {
  const found = mapping<{ resources: string[]; providers: Way[][] }>(
    { resources: nonEmpty(list(resource)), providers: nonEmpty(list(ways)) },
    ["resources", "providers"],
  )(place);
  return found && { resources: found.resources, ways: found.providers.flat() };
};

const configuration = mapping<{ apiVersion: string; kind: string; resources: EncryptionRule[] }>(
  {
    apiVersion: oneOf("apiserver.config.k8s.io/v1"),
    kind: oneOf("EncryptionConfiguration"),
    resources: nonEmpty(list(rule)),
  },
  ["apiVersion", "kind", "resources"],
);
