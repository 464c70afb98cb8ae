import type { ReadFile } from "./contract.ts";

/** The text of a file; when it cannot be read, `tell` gets the reason. */
export function readOrTell(readFile: ReadFile, path: string, tell: (why: string) => void): string | undefined {
  try {
    return readFile(path);
  } catch (error) {
    tell(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`);
    return undefined;
  }
}
