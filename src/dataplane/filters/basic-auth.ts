import type { Filter } from "../table.ts";
import type { FilterAnswer, Guard } from "./filter.ts";

const busy: FilterAnswer = { status: 503, reason: "too many passwords wait to be checked" };

/**
 * Basic authentication (RFC 7617) against stored passwords. The endpoint does not see the password. Whether it is the
 * name or the password that is wrong is not told, by the answer's time neither: an unknown name is checked against
 * somebody's password too.
 */
export function compileBasicAuth({ realm, users }: Extract<Filter, { type: "basic-auth" }>): Guard {
  const stored = new Map(users);
  const [anybody] = stored.values();
  const refused: FilterAnswer = {
    status: 401,
    fields: [["WWW-Authenticate", `Basic realm="${realm.replace(/["\\]/g, "\\$&")}"`]],
  };
  return (request) => {
    const given = readCredentials(request.field("authorization"));
    request.requestEdits.set("Authorization", undefined);
    if (given === undefined || anybody === undefined) return refused;
    const [user, password] = given;
    const own = stored.get(user);
    const { passwords } = request.tools;
    if (own !== undefined && passwords.isKnown(user, password, own)) return undefined;
    return {
      start: (done) =>
        passwords.check(user, password, own ?? anybody, (isRight) => {
          if (isRight === undefined) done(busy);
          else done(isRight && own !== undefined ? undefined : refused);
        }),
    };
  };
}

/** Name and password as the field has them, one character a byte. */
function readCredentials(field: string | undefined): readonly [user: string, password: string] | undefined {
  const text = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(field ?? "")?.[1];
  if (text === undefined) return undefined;
  const decoded = Buffer.from(text, "base64").toString("latin1");
  const colon = decoded.indexOf(":");
  return colon === -1 ? undefined : [decoded.slice(0, colon), decoded.slice(colon + 1)];
}
