import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cachedDataVersionTag } from "node:v8";
import { findProgram, installTools, missingTools } from "#roles/packages.ts";

/**
 * `node scripts/vm.ts FILE...`: runs end-to-end tests on another kernel than this machine's, one of Debian's with all of
 * its modules, for what this one lacks, as ip_vs. The virtual machine sees this machine's files and writes to none of
 * them. Needs root, amd64 and Debian; a run takes minutes, since the processor is emulated where it must be.
 * `--only PATTERN` chooses tests by name. The conformance suite of the service proxy runs its part of ipvs so, and
 * `npm run setup` fetches what it takes.
 */
const limitSeconds = 900;
const cache = join(tmpdir(), "fairlead-vm");
const root = dirname(import.meta.dirname);
const tools = [
  { program: "qemu-system-x86_64", package: "qemu-system-x86" },
  { program: "depmod", package: "kmod" },
  { program: "busybox", package: "busybox-static" },
];

/** What the kernel needs before it reaches the modules on this machine's files, and what tests make it load. */
const modules = ["net", "drivers/net", "drivers/virtio", "fs/overlayfs", "fs/fuse", "lib", "crypto", "arch/x86/crypto"];

function must(command: string, args: readonly string[], cwd = cache): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

interface Machine {
  readonly kernel: string;
  /** The small file system that it starts with. */
  readonly initrd: string;
}

const machineOf = (version: string): Machine => ({
  kernel: join(cache, version, "boot", `vmlinuz-${version}`),
  initrd: join(cache, version, "initrd.gz"),
});

/** The newest kernel that is there already. */
function findMachine(): Machine | undefined {
  const made = globSync("*/initrd.gz", { cwd: cache }).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return made.length === 0 ? undefined : machineOf(dirname(made.at(-1) ?? ""));
}

/** Why no virtual machine can be started here, as things are; `undefined` when one can. */
export function whyNoMachine(): string | undefined {
  if (process.getuid?.() !== 0 || process.arch !== "x64") return "needs root, on amd64";
  const missing = missingTools(tools).map(({ program }) => program);
  if (missing.length > 0) return `needs ${missing.join(", ")}; run: npm run setup`;
  if (findMachine() === undefined) return "the kernel of Debian for it is not here; with a network, run: npm run setup";
  return undefined;
}

/** Installs and fetches what a virtual machine takes, once. Answers what went wrong, in a line. */
export function prepareMachine(): string | undefined {
  if (process.getuid?.() !== 0 || process.arch !== "x64" || findProgram("apt-get") === undefined) {
    return "it takes root, amd64 and apt-get";
  }
  forgetOldRuns();
  const missing = missingTools(tools);
  const problem = missing.length === 0 ? undefined : installTools(missing);
  if (problem !== undefined || findMachine() !== undefined) return problem;
  try {
    makeMachine();
    return undefined;
  } catch (error) {
    return String(error).split("\n", 1)[0];
  }
}

/** What is left of runs that were ended from outside. */
function forgetOldRuns(): void {
  for (const name of globSync("run-*", { cwd: cache })) {
    const path = join(cache, name);
    if (Date.now() - statSync(path).mtimeMs > limitSeconds * 1000) rmSync(path, { recursive: true });
  }
}

function makeMachine(): void {
  mkdirSync(cache, { recursive: true });
  const name = /linux-image-\d\S+/.exec(must("apt-cache", ["depends", "linux-image-cloud-amd64"], root))?.[0] ?? "";
  const version = name.replace("linux-image-", "");
  const folder = join(cache, version);
  mkdirSync(folder, { recursive: true });
  must("apt-get", ["download", name], folder);
  must("dpkg-deb", ["-x", globSync("*.deb", { cwd: folder })[0] ?? "", "."], folder);
  const start = join(folder, "start");
  rmSync(start, { recursive: true, force: true });
  const [from, to] = [folder, start].map((base) => join(base, "lib/modules", version));
  for (const part of modules) {
    const source = join(from ?? "", "kernel", part);
    if (existsSync(source)) cpSync(source, join(to ?? "", "kernel", part), { recursive: true });
  }
  for (const file of ["modules.order", "modules.builtin"]) cpSync(join(from ?? "", file), join(to ?? "", file));
  must("depmod", ["-b", start, version]);
  for (const name of ["bin", "proc", "sys", "dev", "host", "new", "up"])
    mkdirSync(join(start, name), { recursive: true });
  cpSync(findProgram("busybox") ?? "", join(start, "bin/busybox"));
  writeFileSync(join(start, "init"), init);
  chmodSync(join(start, "init"), 0o755);
  must("sh", ["-c", "find . | busybox cpio -o -H newc | gzip -1 > ../made && mv ../made ../initrd.gz"], start);
}

/** From the start of the kernel to this machine's files with a layer over them that ends with the virtual machine. */
const init = `#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sysfs /sys; $b mount -t devtmpfs dev /dev
for module in virtio_pci virtiofs overlay; do $b modprobe $module; done
$b mount -t virtiofs host /host
$b mount -t tmpfs tmpfs /up; $b mkdir /up/upper /up/work
$b mount -t overlay overlay -o lowerdir=/host,upperdir=/up/upper,workdir=/up/work /new
$b mkdir -p /new/usr/lib/modules
$b mount -t tmpfs tmpfs /new/usr/lib/modules
$b cp -r /lib/modules/* /new/usr/lib/modules/
run=$($b sed -n 's/.*fairlead.run=\\([^ ]*\\).*/\\1/p' /proc/cmdline | $b base64 -d)
for part in proc sys dev; do $b mount --move /$part /new/$part; done
exec $b switch_root /new /bin/sh -c "$run"
`;

export interface MachineRun {
  /** Chooses tests by name. */
  readonly only?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** What runs inside: the tests, to the second serial port, and the end. */
function guestOf(files: readonly string[], { only, env = {} }: MachineRun): string {
  const flags = ["--test", "--test-reporter=spec", "--test-isolation=none", "--test-force-exit"];
  if (only !== undefined) flags.push(`--test-name-pattern=${only}`);
  const line = [process.execPath, ...flags, ...files].map(quote).join(" ");
  return [
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}`),
    `export PATH='${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' HOME=/root`,
    "mount -t tmpfs tmpfs /run; mkdir /run/netns; echo /sbin/modprobe > /proc/sys/kernel/modprobe",
    "ip link set lo up; modprobe br_netfilter; modprobe ip_vs",
    ...compiledCode(),
    `cd '${root}'; ${line} > /dev/ttyS1 2>&1; echo "status $?" > /dev/ttyS1`,
    "echo o > /proc/sysrq-trigger; sleep 10",
  ].join("\n");
}

/**
 * Compiling takes an emulated processor long. What this machine has compiled is of use inside, but Node looks for it under
 * a name in which the processor's abilities are.
 */
function compiledCode(): string[] {
  const folder = resolve(root, process.env["NODE_COMPILE_CACHE"] ?? "node_modules/.cache/compile");
  const nameOf = (tag: string) => `${process.version}-${process.arch}-${tag}-${process.getuid?.() ?? 0}`;
  const own = join(folder, nameOf(cachedDataVersionTag().toString(16)));
  if (!existsSync(own)) return [];
  return [
    `tag=$(node -p 'require("node:v8").cachedDataVersionTag().toString(16)')`,
    `mkdir /run/compiled; ln -s ${quote(own)} "/run/compiled/${nameOf("$tag")}"`,
    "export NODE_COMPILE_CACHE=/run/compiled",
  ];
}

/** Runs tests in a virtual machine, and answers what they printed and how they ended; 1 when they did not. */
export async function runInMachine(
  files: readonly string[],
  options: MachineRun = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const machine = findMachine();
  if (machine === undefined) throw new Error(whyNoMachine());
  const folder = mkdtempSync(join(cache, "run-"));
  const at = (name: string) => join(folder, name);
  const children = [startFiles(at("files.sock"))];
  try {
    while (!existsSync(at("files.sock")) && children[0]?.exitCode === null) await delay(50);
    writeFileSync(at("guest.sh"), guestOf(files, options));
    const qemu = startProcessor(machine, folder);
    children.push(qemu);
    await once(qemu, "close");
    const text = existsSync(at("result")) ? readFileSync(at("result"), "utf8").replaceAll("\r\n", "\n") : "";
    const status = /^status (\d+)$/m.exec(text)?.[1];
    if (status !== undefined) return { status: Number(status), text };
    const console = existsSync(at("console")) ? readFileSync(at("console"), "utf8").slice(-2000) : "";
    return { status: 1, text: `${text}\nthe virtual machine did not come to an end:\n${console}` };
  } finally {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
}

/** What gives the virtual machine this machine's files. */
function startFiles(socket: string): ChildProcess {
  const program = ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"].find((path) => existsSync(path)) ?? "virtiofsd";
  const share = [`--socket-path=${socket}`, "-o", "source=/", "-o", "cache=always", "-o", "sandbox=chroot"];
  return spawn(program, [...share, "--rlimit-nofile=0"], { stdio: "ignore" });
}

function startProcessor({ kernel, initrd }: Machine, folder: string): ChildProcess {
  // /dev/kvm may be there and not work: only a processor that says so can do it.
  const canAccelerate = existsSync("/dev/kvm") && /\b(?:vmx|svm)\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
  const processor = canAccelerate ? "-accel kvm -cpu host" : "-accel tcg,thread=multi -cpu max,-cx16";
  const machine = [
    `-M q35 -m 1024 -smp 2 -nodefaults -no-reboot -display none ${processor}`,
    `-object memory-backend-memfd,id=mem,size=1024M,share=on -numa node,memdev=mem`,
    `-chardev socket,id=files,path=${join(folder, "files.sock")} -device vhost-user-fs-pci,chardev=files,tag=host`,
    `-serial file:${join(folder, "console")} -serial file:${join(folder, "result")} -kernel ${kernel} -initrd ${initrd}`,
  ].flatMap((line) => line.split(" "));
  const run = Buffer.from(`. ${quote(join(folder, "guest.sh"))}`).toString("base64");
  const append = ["-append", `console=ttyS0 quiet panic=-1 fairlead.run=${run}`];
  return spawn("qemu-system-x86_64", [...machine, ...append], {
    stdio: "inherit",
    timeout: limitSeconds * 1000,
    killSignal: "SIGKILL",
  });
}

/** For whoever types it: how long the long forms of tests are, and of what, is theirs to say. */
async function main(args: string[]): Promise<number> {
  const at = args.indexOf("--only");
  const [, only] = at === -1 ? [] : args.splice(at, 2);
  const problem =
    args.length === 0
      ? `usage: node scripts/${basename(import.meta.filename)} [--only PATTERN] FILE...`
      : prepareMachine();
  if (problem !== undefined) {
    console.error(problem);
    return 1;
  }
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^DRAIN_[A-Z]+$/.test(name)));
  const { status, text } = await runInMachine(args, {
    ...(only === undefined ? {} : { only }),
    env: env as Record<string, string>,
  });
  process.stdout.write(text);
  return status;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
