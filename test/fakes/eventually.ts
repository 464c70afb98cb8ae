/**
 * Tries until the check holds, which is when it neither throws nor answers false, for at most this long; then fails with
 * the check's own words.
 */
export async function eventually<T>(check: () => T | Promise<T>, ms = 30_000): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    try {
      const held = await check();
      if (held === false) throw new Error(`it did not hold within ${ms} ms: ${check.toString()}`);
      return held;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
