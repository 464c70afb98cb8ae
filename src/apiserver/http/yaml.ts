/**
 * YAML as upstream's parser reads it: the booleans of YAML 1.1, octal `010` and `0o17`, numbers with underscores, but no
 * dates and no base-60 numbers. Of several documents the first counts. Throws an `Error` for what is no YAML.
 */
export async function parseYaml(text: string): Promise<{ value: unknown; duplicates: string[] }> {
  const { parseAllDocuments } = await import("yaml");
  const [document] = parseAllDocuments(text, {
    schema: "yaml-1.1",
    merge: true,
    uniqueKeys: false,
    customTags: (tags) => {
      const kept = tags.filter((tag) => {
        const name = typeof tag === "string" ? tag : tag.tag;
        const format = typeof tag === "string" ? undefined : (tag as { format?: string }).format;
        return name !== "tag:yaml.org,2002:timestamp" && format !== "TIME";
      });
      return [...kept, octalTag];
    },
  });
  if (document === undefined || !("contents" in document)) return { value: null, duplicates: [] };
  const [error] = document.errors;
  if (error !== undefined) throw new Error(error.message);
  // Aliases may multiply: a small body must not become a large object.
  return { value: document.toJS({ maxAliasCount: 100 }), duplicates: [] };
}

const octalTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: /^0o[0-7]+$/,
  resolve: (text: string) => Number.parseInt(text.slice(2), 8),
};

export async function renderYaml(value: unknown): Promise<string> {
  const { stringify } = await import("yaml");
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
