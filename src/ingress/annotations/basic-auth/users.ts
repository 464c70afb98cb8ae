import { isStoredPassword } from "#dataplane/password/format.ts";

export interface Users {
  /** Name and stored password. */
  readonly users: readonly (readonly [name: string, stored: string])[];
  /** Names whose stored password is of no known form. */
  readonly unread: readonly string[];
}

/** The text that htpasswd writes: `name:hash` a line, `#` in front of comments, the first of one name counts. */
export function readFile(text: string): Users {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const named = lines.filter((line) => line !== "" && !line.startsWith("#") && line.includes(":"));
  return readMap(
    named.map((line) => {
      const [name = "", stored = ""] = line.split(":");
      return [name, stored];
    }),
  );
}

/** Names and stored passwords; a name counts once. What is stored as UTF-8 is compared as the bytes that come. */
export function readMap(entries: readonly (readonly [name: string, stored: string])[]): Users {
  const users = new Map<string, string>();
  const unread: string[] = [];
  for (const [name, text] of entries) {
    const stored = text.trim();
    const bytes = Buffer.from(name, "utf8").toString("latin1");
    if (users.has(bytes)) continue;
    if (isStoredPassword(stored)) users.set(bytes, stored);
    else unread.push(name);
  }
  return { users: [...users], unread };
}
