import type { Container } from "#api/core/pod/kind.ts";
import { findRecipe } from "./catalogue.ts";
import { repositoryOf } from "./name.ts";
import { plainProcess, type ImageProcess } from "./recipe.ts";

/** How a container's image is run here, or the reason why it cannot be, in words for the pod's status. */
export type ResolvedImage =
  | { readonly ok: true; readonly process: ImageProcess; readonly args: readonly string[] }
  | { readonly ok: false; readonly message: string };

/**
 * Puts image, `command` and `args` together as Kubernetes does: `command` replaces the image's entrypoint and command,
 * `args` its command alone. An image nobody knows runs its `command` with the programs of this machine. Pure but for
 * `findProgram`, which tells where a program is.
 */
export function resolveImage(
  { image = "", command = [], args, ports = [] }: Pick<Container, "image" | "command" | "args" | "ports">,
  findProgram: (name: string) => string | undefined,
): ResolvedImage {
  const recipe = findRecipe(image);
  if (recipe === undefined) {
    if (command.length > 0) return { ok: true, process: plainProcess, args: [...command, ...(args ?? [])] };
    const message =
      `image ${image}: images are not pulled here, and ${repositoryOf(image)} is not in the catalogue of images that ` +
      "stand for programs of this machine (docs/reference/images.md): choose one of these, or give the container a `command`";
    return { ok: false, message };
  }
  const process = recipe.compile({ ports });
  if (command.length > 0) return { ok: true, process, args: [...command, ...(args ?? [])] };
  const missing = recipe.needs.filter(({ program }) => findProgram(program) === undefined);
  if (missing.length > 0) {
    const programs = missing.map(({ program }) => program).join(" and ");
    const packages = [...new Set(missing.map((need) => need.package))].join(" ");
    const message = `image ${image} runs this machine's ${programs}, which is not installed: apt-get install ${packages}`;
    return { ok: false, message };
  }
  return { ok: true, process, args: [...process.entrypoint, ...(args ?? process.command)] };
}
