import { spawn, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { findProgram, installTools, missingTools } from "#roles/packages.ts";

/**
 * `node scripts/vm.ts FILE...`: runs end-to-end tests on another kernel than this machine's, one of Debian's with all of
 * its modules, for what this one lacks, as ip_vs. The virtual machine sees this machine's files and writes to none of
 * them. Needs root, amd64 and Debian; a run takes minutes, since the processor is emulated where it must be.
 * `--only PATTERN` chooses tests by name.
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

/** The kernel, its version, and the small file system it starts with; made once. */
function prepare(): { kernel: string; initrd: string } {
  const name = /linux-image-\d\S+/.exec(must("apt-cache", ["depends", "linux-image-cloud-amd64"], root))?.[0] ?? "";
  const version = name.replace("linux-image-", "");
  const folder = join(cache, version);
  const kernel = join(folder, "boot", `vmlinuz-${version}`);
  const initrd = join(folder, "initrd.gz");
  if (existsSync(initrd)) return { kernel, initrd };
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
  must("sh", ["-c", "find . | busybox cpio -o -H newc | gzip -1 > ../initrd.gz"], start);
  return { kernel, initrd };
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

/** What runs inside: the tests, to the second serial port, and the end. */
function guestOf(files: readonly string[], only: string | undefined): string {
  const flags = ["--test", "--test-reporter=spec", "--test-isolation=none", "--test-force-exit"];
  if (only !== undefined) flags.push(`--test-name-pattern=${only}`);
  const quoted = [process.execPath, ...flags, ...files].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  // How long the long forms of tests are, and of what.
  const passed = Object.entries(process.env).filter(([name]) => /^DRAIN_[A-Z]+$/.test(name));
  return [
    ...passed.map(([name, value = ""]) => `export ${name}='${value.replaceAll("'", "")}'`),
    `export PATH='${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' HOME=/root`,
    "mount -t tmpfs tmpfs /run; mkdir /run/netns; echo /sbin/modprobe > /proc/sys/kernel/modprobe",
    "ip link set lo up; modprobe br_netfilter; modprobe ip_vs",
    `cd '${root}'; ${quoted} > /dev/ttyS1 2>&1; echo "status $?" > /dev/ttyS1`,
    "echo o > /proc/sysrq-trigger; sleep 10",
  ].join("\n");
}

async function runInMachine(files: readonly string[], only: string | undefined): Promise<number> {
  const { kernel, initrd } = prepare();
  const [socket, result] = [join(cache, "files.sock"), join(cache, "result.txt")];
  rmSync(socket, { force: true });
  rmSync(result, { force: true });
  const virtiofsd =
    ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"].find((path) => existsSync(path)) ?? "virtiofsd";
  const share = [`--socket-path=${socket}`, "-o", "source=/", "-o", "cache=always", "-o", "sandbox=chroot"];
  const fileServer = spawn(virtiofsd, [...share, "--rlimit-nofile=0"], { stdio: "ignore" });
  while (!existsSync(socket) && fileServer.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 50));
  const run = Buffer.from(guestOf(files, only)).toString("base64");
  // /dev/kvm may be there and not work: only a processor that says so can do it.
  const canAccelerate = existsSync("/dev/kvm") && /\b(?:vmx|svm)\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
  const processor = canAccelerate ? "-accel kvm -cpu host" : "-accel tcg,thread=multi -cpu max,-cx16";
  const machine = [
    `-M q35 -m 1024 -smp 2 -nodefaults -no-reboot -display none ${processor}`,
    `-object memory-backend-memfd,id=mem,size=1024M,share=on -numa node,memdev=mem`,
    `-chardev socket,id=files,path=${socket} -device vhost-user-fs-pci,chardev=files,tag=host`,
    `-serial file:${join(cache, "console.txt")} -serial file:${result} -kernel ${kernel} -initrd ${initrd}`,
  ].flatMap((line) => line.split(" "));
  const append = ["-append", `console=ttyS0 quiet panic=-1 fairlead.run=${run}`];
  spawnSync("qemu-system-x86_64", [...machine, ...append], {
    stdio: "inherit",
    timeout: limitSeconds * 1000,
    killSignal: "SIGKILL",
  });
  fileServer.kill();
  const text = existsSync(result) ? readFileSync(result, "utf8") : "";
  process.stdout.write(text);
  const status = /^status (\d+)\r?$/m.exec(text)?.[1];
  if (status === undefined) console.error(`it did not come to an end; see ${cache}/console.txt`);
  return Number(status ?? 1);
}

const args = process.argv.slice(2);
const at = args.indexOf("--only");
const [, only] = at === -1 ? [] : args.splice(at, 2);
const missing = missingTools(tools);
const problem = missing.length > 0 ? installTools(missing) : undefined;
if (problem !== undefined || args.length === 0) {
  console.error(problem ?? `usage: node scripts/${basename(import.meta.filename)} [--only PATTERN] FILE...`);
  process.exitCode = 1;
} else process.exitCode = await runInMachine(args, only);
