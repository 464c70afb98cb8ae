/** Runs one command line; the promise is the exit code. */
export function main(argv: readonly string[]): Promise<number> {
  console.error(`unknown command: ${argv.join(" ")}`);
  return Promise.resolve(1);
}
