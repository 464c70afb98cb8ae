/** The path of a request as rules see it. Strings hold one character a byte as they came (latin1) unless said. */
export interface RequestPath {
  /** Escapes resolved, `.` and `..` taken out, slashes merged; text (UTF-8 read). What rules are matched with. */
  readonly path: string;
  /**
   * How a less thorough reader might see the same request: escaped slashes are still characters of a name and dots are
   * still there. Absent when it is the same. A request whose two readings take different rules must be refused, else one
   * of the rules could be passed by.
   */
  readonly otherwise?: string;
  /** With its `?`; empty when there is none. */
  readonly query: string;
}

const needsWork = /%|\/\/|\/\.|[^\0-\x7f]/;

/**
 * Splits an origin-form target (`/path?query`) and normalises the path as nginx does for its locations. `undefined` for a
 * broken escape, NUL, or a path that leaves the root.
 */
export function normalizePath(target: string): RequestPath | undefined {
  const mark = target.indexOf("?");
  const raw = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? "" : target.slice(mark);
  if (!needsWork.test(raw)) return { path: raw, query };
  const full = unescape(raw, true);
  const partly = unescape(raw, false);
  if (full === undefined || partly === undefined) return undefined;
  const path = resolveDots(full);
  if (path === undefined) return undefined;
  const merged = partly.replace(/\/{2,}/g, "/");
  if (!path.includes("\\")) return merged === path ? { path, query } : { path, otherwise: merged, query };
  // Some servers part names at a backslash too. One more reading is one too many beside the other.
  const parted = resolveDots(full.replaceAll("\\", "/"));
  if (parted === undefined || merged.replaceAll(/%5c/gi, "\\") !== path) return undefined;
  return { path, otherwise: parted, query };
}

/** Resolves percent escapes once; without `slashes`, `%2f` and `%5c` stay as they are. */
function unescape(raw: string, slashes: boolean): string | undefined {
  if (/%(?![0-9a-fA-F]{2})|%00/.test(raw)) return undefined;
  const bytes = raw.replace(/%([0-9a-fA-F]{2})/g, (all, hex: string) => {
    const code = Number.parseInt(hex, 16);
    return !slashes && (code === 0x2f || code === 0x5c) ? all : String.fromCharCode(code);
  });
  return /[^\0-\x7f]/.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}

function resolveDots(path: string): string | undefined {
  const out: string[] = [];
  const names = path.slice(1).split("/");
  for (const [index, name] of names.entries()) {
    const last = index === names.length - 1;
    if (name === "..") {
      if (out.length === 0) return undefined;
      out.pop();
      if (last) out.push("");
    } else if (name === ".") {
      if (last) out.push("");
    } else if (name !== "" || last) out.push(name);
  }
  return `/${out.join("/")}`;
}

/** Text as a path that may stand in a request line: what is not allowed there, `%`, `?` and `#` are escaped. */
export function escapePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/]+/g, (part) =>
    [...Buffer.from(part, "utf8")].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}
