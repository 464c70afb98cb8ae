/**
 * `$(NAME)` is replaced by the variable's value, `$$` stands for one `$`, and a reference to what does not exist stays
 * as it is (`third_party/forked/golang/expansion`). Pure.
 */
export function expand(text: string, valueOf: (name: string) => string | undefined): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) => {
    if (whole === "$$") return "$";
    return valueOf(name ?? "") ?? whole;
  });
}
