import type { Claim, Claims } from "#api/claims.ts";
import { noManagers } from "#api/merge/managers.ts";
import type { KubeObject } from "#api/meta/object.ts";
import type { Item } from "./item.ts";
import { claimKeyOf } from "./keys.ts";
import { renderStored } from "./stored.ts";
import { answerTo } from "./errors.ts";
import type { WriteBase } from "./write.ts";
import type { Write } from "#store/contract.ts";

/** What is stored when `owner` claims a name: no kind of the API, but of the same form, so that caches can hold it. */
export function claimWrite(base: Pick<WriteBase, "remember">, name: string, owner: KubeObject): Write {
  const { apiVersion, kind, metadata } = owner;
  const { namespace, name: ownerName, uid = "" } = metadata;
  const object: KubeObject = {
    apiVersion: "fairlead.dev/v1",
    kind: "Claim",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ownerReferences: [{ apiVersion, kind, name: ownerName, uid }],
    },
  };
  const stored = { object, managers: noManagers };
  const value = renderStored(stored);
  base.remember(value, stored);
  return { type: "put", key: claimKeyOf(name), value, expect: "absent" };
}

export function releaseWrite(name: string, revision: number): Write {
  return { type: "delete", key: claimKeyOf(name), expect: revision };
}

/** Whether this very object holds the claim, and not one that had its name before. */
export function isHeldBy(claim: Item, { kind, metadata: { uid } }: KubeObject): boolean {
  const { owner } = readClaim(claim);
  return owner.kind === kind && owner.uid === uid;
}

function readClaim({ object: { metadata }, revision }: Item): Claim {
  const { kind = "", name = "", uid = "" } = metadata.ownerReferences?.[0] ?? {};
  const { namespace } = metadata;
  return {
    name: metadata.name,
    owner: { kind, name, uid, ...(namespace === undefined ? {} : { namespace }) },
    revision,
  };
}

export function createClaims(base: WriteBase): Claims {
  const commit = async (write: Write) => {
    try {
      return (await base.store.commit([write])).ok;
    } catch (error) {
      throw answerTo(error);
    }
  };
  return {
    list: (prefix) =>
      base.claims
        .items()
        .filter(({ key }) => key.startsWith(prefix))
        .map(readClaim),
    claim: (name, owner) => commit(claimWrite(base, name, owner)),
    release: ({ name, revision }) => commit(releaseWrite(name, revision)),
  };
}
