/**
 * Web Locks for tests under Deno: exclusive, first come first served, with `ifAvailable` and signals.
 */
import type { LockManager } from "../../opfs/relay/client_lock.ts";

/** Locks by name. */
export class FakeLocks implements LockManager {
  readonly #tails = new Map<string, (() => void)[]>();

  /** How many hold or wait for a name. */
  count(name: string): number {
    return this.#tails.get(name)?.length ?? 0;
  }

  async request(
    name: string,
    { signal, ifAvailable }: { signal?: AbortSignal; ifAvailable?: boolean },
    held: (lock: unknown) => unknown,
  ): Promise<unknown> {
    if (signal?.aborted) throw new DOMException("aborted", "AbortError");
    const queue = this.#tails.get(name) ?? [];
    this.#tails.set(name, queue);
    if (ifAvailable && queue.length > 0) return await held(null);
    const { promise: turn, resolve: start, reject } = Promise.withResolvers<void>();
    queue.push(start);
    if (queue.length === 1) start();
    const leave = () => {
      const index = queue.indexOf(start);
      if (index >= 0) queue.splice(index, 1);
      queue[0]?.();
    };
    signal?.addEventListener("abort", () => {
      leave();
      reject(new DOMException("aborted", "AbortError"));
    });
    await turn;
    try {
      return await held({ name });
    } finally {
      leave();
    }
  }
}
