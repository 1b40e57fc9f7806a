/**
 * Answers that must come in bounded time: a test that would wait for ever fails, and says so.
 *
 * Use: `await within(10_000, volume.close())`.
 */

/** What `answer` comes to, or an error when it takes longer. */
export async function within<T>(limitMs: number, answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer in ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}
