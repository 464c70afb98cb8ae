import type { Secret } from "#api/core/secret/kind.ts";
import type { Filter } from "#dataplane/table.ts";
import type { Finding, RouteDraft, RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { oneOf, parseObjectKey, textOf } from "../values.ts";
import { readFile, readMap, type Users } from "./users.ts";

const typeKey = `${nginx}auth-type`;
const secretKey = `${nginx}auth-secret`;
const formKey = `${nginx}auth-secret-type`;
const realmKey = `${nginx}auth-realm`;

const noUsers: Users = { users: [], unread: [] };

/**
 * `auth-type: basic` with the users of a Secret: the htpasswd text under `auth` (`auth-file`), or one key a user
 * (`auth-map`). Whatever is missing closes the routes. A user whose hash cannot be checked here cannot sign in; the
 * others can.
 */
export const basicAuth: AnnotationGroup = {
  name: "basic-auth",
  keys: [typeKey, secretKey, formKey, realmKey],
  parse(reader) {
    const type = reader.read(typeKey, oneOf(["basic", "digest"]), "drop", "basic or digest");
    const form = reader.read(formKey, oneOf(["auth-file", "auth-map"]), "drop", "auth-file or auth-map") ?? "auth-file";
    const realm =
      reader.read(realmKey, textOf(/^[/A-Za-z0-9$_\-.=?&#\s]*$/), "drop", "letters, digits and -_.=?&#/$") ?? "";
    const expected = "the name of a Secret in the Ingress's own namespace";
    const secret = reader.read(secretKey, parseObjectKey(reader.namespace), "deny", expected);
    if (type === undefined) return {};
    if (type === "digest") {
      reader.fail(typeKey, "annotation-unsupported", "digest authentication is not supported, basic is", "deny");
      return {};
    }
    if (secret === undefined) {
      if (!reader.has(secretKey)) reader.fail(typeKey, "auth-secret-missing", `it needs ${secretKey}`, "deny");
      return {};
    }
    const effect: RouteEffect = (draft, facts) => {
      const found = facts.secret(secret);
      if (found === "pending") return { ...draft, isDenied: true };
      if (found === "missing") return closed(draft, "auth-secret-not-found", `Secret ${secret} does not exist`);
      const { users, unread } = usersOf(found, form);
      if (users.length + unread.length === 0) {
        const where =
          form === "auth-file" ? 'has no "auth" with lines user:hash' : "has no key, and each key is a user";
        return closed(draft, "auth-secret-invalid", `Secret ${secret} ${where}`);
      }
      const filter: Filter = { type: "basic-auth", realm, users };
      const findings = unread.map((user) => unreadUser(secret, user));
      return {
        ...draft,
        filters: [...draft.filters, filter],
        findings: [...(draft.findings ?? []), ...findings],
      };
    };
    return { effect, references: { secrets: [secret] } };
  },
};

function usersOf(secret: Secret, form: "auth-file" | "auth-map"): Users {
  const text = (key: string) => Buffer.from(secret.data?.[key] ?? "", "base64").toString("utf8");
  if (form === "auth-map") return readMap(Object.keys(secret.data ?? {}).map((user) => [user, text(user)]));
  return secret.data?.["auth"] === undefined ? noUsers : readFile(text("auth"));
}

const field = `metadata.annotations[${secretKey}]`;

function closed(draft: RouteDraft, code: string, reason: string): RouteDraft {
  const message = `${secretKey}: ${reason}; all routes of the Ingress answer 503 until this is put right`;
  return { ...draft, isDenied: true, findings: [...(draft.findings ?? []), { field, code, message }] };
}

function unreadUser(secret: string, user: string): Finding {
  const way = "make it anew with htpasswd -B, or with openssl passwd -apr1";
  const message = `${secretKey}: the password of ${JSON.stringify(user)} in Secret ${secret} is stored in a way that cannot be checked; ${way}. Until then this user cannot sign in`;
  return { field, code: "auth-password-unreadable", message };
}
