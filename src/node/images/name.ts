/**
 * The repository of an image reference without registry, tag and digest: `docker.io/library/nginx:1.17.1` and `nginx`
 * are both `nginx`, `registry.example/team/app@sha256:…` is `team/app`.
 */
export function repositoryOf(image: string): string {
  const [withTag = ""] = image.split("@");
  const lastSlash = withTag.lastIndexOf("/");
  const colon = withTag.indexOf(":", lastSlash + 1);
  const path = colon === -1 ? withTag : withTag.slice(0, colon);
  const parts = path.split("/");
  const [first = ""] = parts;
  const hasRegistry = parts.length > 1 && (first.includes(".") || first.includes(":") || first === "localhost");
  const rest = hasRegistry ? parts.slice(1) : parts;
  return (rest.length > 1 && rest[0] === "library" ? rest.slice(1) : rest).join("/");
}
