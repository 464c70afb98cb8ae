import type { Container, Pod } from "#api/core/pod/kind.ts";
import type { ImageProcess } from "../images/recipe.ts";
import { placeOf } from "../images/recipe.ts";
import type { BindMount, ContainerConfig } from "../runtime/contract.ts";
import { programPath } from "../runtime/process/program.ts";
import { expand } from "./expand.ts";
import { parseQuantity } from "#api/meta/quantity.ts";

export interface ContainerInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly hostname: string;
  readonly image: ImageProcess;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  readonly mounts: readonly BindMount[];
}

export type ConfigOutcome =
  | { readonly ok: true; readonly config: ContainerConfig }
  | { readonly ok: false; readonly message: string };

/** What the runtime needs to know of a container, or why it may not run. Pure. */
export function compileContainer(input: ContainerInput): ConfigOutcome {
  const { pod, container, attempt, hostname, image, args, env, mounts } = input;
  const podContext = pod.spec.securityContext ?? {};
  const context = { ...podContext, ...container.securityContext };
  const user = context.runAsUser ?? 0;
  if (context.runAsNonRoot && user === 0) {
    return { ok: false, message: "container has runAsNonRoot and image will run as root: set runAsUser" };
  }
  const applets = image.uses.includes("busybox") ? `:${placeOf.busybox}` : "";
  const tools = image.uses.includes("node") ? `:${placeOf.node.slice(0, placeOf.node.lastIndexOf("/"))}` : "";
  const all = new Map<string, string>([
    ["PATH", programPath + tools + applets],
    ["HOSTNAME", hostname],
    ["HOME", user === 0 ? "/root" : "/"],
    ...(container.tty ? [["TERM", "xterm"] as const] : []),
    ...Object.entries(image.env),
    ...env,
  ]);
  const limit = (name: string) => {
    const text = container.resources?.limits?.[name];
    return text === undefined ? undefined : parseQuantity(text);
  };
  const memory = limit("memory");
  const cpu = limit("cpu");
  return {
    ok: true,
    config: {
      name: container.name,
      attempt,
      image: container.image ?? "",
      args: args.map((argument) => expand(argument, (name) => all.get(name))),
      env: [...all].map(([name, value]) => `${name}=${value}`),
      cwd: container.workingDir || image.cwd,
      user,
      group: context.runAsGroup ?? 0,
      groups: podContext.fsGroup === undefined ? [] : [podContext.fsGroup],
      mounts,
      files: image.files,
      tty: container.tty ?? false,
      stdin: container.stdin ?? false,
      stdinOnce: container.stdinOnce ?? false,
      readOnlyRoot: context.readOnlyRootFilesystem ?? false,
      privileged: context.privileged ?? false,
      terminationMessagePath: container.terminationMessagePath ?? "/dev/termination-log",
      ...(memory === undefined ? {} : { memoryBytes: Math.ceil(memory) }),
      ...(cpu === undefined ? {} : { milliCpu: Math.ceil(cpu * 1000) }),
    },
  };
}
