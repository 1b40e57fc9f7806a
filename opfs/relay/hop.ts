/**
 * Hop: one trip through the event loop, without a timer's clamp.
 *
 * Layer: relay. A loop of Atomics.wait hears no message and gets no lock granted, so the relay goes
 * back to its event loop again and again. Deno takes what comes from a port of this thread before
 * what comes from others, a hundred times in a row, so it goes another way.
 *
 * Use: `const hop = new Hop(); await hop.once(); hop.close()`.
 *
 * @module
 */

const { setImmediate } = globalThis as { setImmediate?: (call: () => void) => unknown };

/** Trips through the event loop, one after the other. */
export class Hop {
  readonly #ports = new MessageChannel();

  /** Resolves when whatever was waiting in the event loop has had its turn. */
  once(): Promise<void> {
    if (setImmediate !== undefined) return new Promise((resolve) => setImmediate(resolve));
    const { port1, port2 } = this.#ports;
    return new Promise((resolve) => {
      port1.onmessage = () => resolve();
      port2.postMessage(0);
    });
  }

  /** Lets go of what keeps the event loop alive. */
  close(): void {
    this.#ports.port1.close();
    this.#ports.port2.close();
  }
}
