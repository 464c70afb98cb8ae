import net from "node:net";

// Runs inside a pod's network: carries standard input and output to a port of 127.0.0.1. One byte on standard output
// says that the connection stands; otherwise the reason goes to standard error.
const port = Number(process.argv[2]);
const socket = net.connect({ host: "127.0.0.1", port, allowHalfOpen: true });
socket.once("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
  process.stdin.destroy();
});
socket.once("connect", () => {
  process.stdout.write(Buffer.from([0]));
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
});
socket.once("close", () => process.stdin.destroy());
