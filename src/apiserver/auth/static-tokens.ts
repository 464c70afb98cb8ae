import type { UserInfo } from "#api/admission.ts";

/** A bearer token that stands for a user, from a file the owner keeps. */
export interface StaticToken {
  readonly token: string;
  readonly user: UserInfo;
}

/**
 * The lines of a token file: `token,user,uid[,"group1,group2"]`, as upstream's `--token-auth-file` has them. Throws an
 * `Error` that names the line.
 */
export function parseTokenFile(text: string): StaticToken[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "" || line.startsWith("#")) return [];
    const match = /^([^,"\s]+),([^,"]+),[^,"]*(?:,(?:"([^"]*)"|([^,"]*)))?\s*$/.exec(line);
    if (match === null) throw new Error(`line ${index + 1} is not token,user,uid[,"group1,group2"]`);
    const [, token = "", name = "", quoted, bare] = match;
    const groups = (quoted ?? bare ?? "").split(",").map((group) => group.trim());
    return [{ token, user: { name: name.trim(), groups: groups.filter((group) => group !== "") } }];
  });
}
