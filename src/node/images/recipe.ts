import type { ContainerPort } from "#api/core/pod/kind.ts";

/** How an image name is run with programs of this machine. */
export interface Recipe {
  /** Repository names as `repositoryOf` gives them. */
  readonly names: readonly string[];
  /** One line for the reference page. */
  readonly summary: string;
  /** Programs it cannot do without, and the Debian package that brings each. */
  readonly needs: readonly { readonly program: string; readonly package: string }[];
  /** What the image would carry in its configuration. Pure. */
  compile(input: RecipeInput): ImageProcess;
}

export interface RecipeInput {
  readonly ports: readonly ContainerPort[];
}

export interface ImageProcess {
  /** Replaced by a container's `command`. */
  readonly entrypoint: readonly string[];
  /** Replaced by a container's `args`. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Written into the container's own layer before it starts. */
  readonly files: readonly ImageFile[];
  /** Programs of Fairlead's own that are bound into the container. */
  readonly uses: readonly ("node" | "echo" | "busybox")[];
}

export interface ImageFile {
  readonly path: string;
  readonly text: string;
}

/** Where the programs of `uses` are found inside a container. */
export const placeOf = {
  node: "/opt/fairlead/bin/node",
  echo: "/opt/fairlead/echo/server.mjs",
  busybox: "/opt/fairlead/busybox",
} as const;

export const plainProcess: ImageProcess = { entrypoint: [], command: [], env: {}, cwd: "/", files: [], uses: [] };
