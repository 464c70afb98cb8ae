import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn, textColumn } from "../../meta/columns.ts";
import type { Endpoints } from "./kind.ts";

const shown = 3;

function endpointsText({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return "<none>";
  const texts = subsets.flatMap(({ addresses = [], ports = [] }) => {
    if (ports.length === 0) return addresses.map(({ ip }) => ip);
    return ports.flatMap(({ port }) =>
      addresses.map(({ ip }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`)),
    );
  });
  return clipped(texts);
}

/** At most three of `texts`, then how many there are besides. */
export function clipped(texts: readonly string[]): string {
  const text = texts.slice(0, shown).join(",");
  return texts.length > shown ? `${text} + ${texts.length - shown} more...` : text;
}

export const endpointsColumns: readonly Column<Endpoints>[] = [
  nameColumn,
  textColumn("Endpoints", endpointsText),
  ageColumn,
];
