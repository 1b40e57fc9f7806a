/**
 * EventLoop: one turn of the event loop, without the delay that timers are clamped to.
 *
 * Layer: relay. While a loop calls Atomics.wait, its thread receives no message and is granted no
 * lock, so the relay returns to its event loop again and again. A port of this thread would serve in
 * Deno too, but Deno takes up to a hundred messages from it before one from another thread; there,
 * `setImmediate` is used instead.
 *
 * Use: `const eventLoop = new EventLoop(); await eventLoop.turn(); eventLoop.close()`.
 *
 * @module
 */

const { setImmediate } = globalThis as { setImmediate?: (call: () => void) => unknown };

/** Turns of this thread's event loop. */
export class EventLoop {
  readonly #ports = new MessageChannel();

  /** Resolves when everything that was waiting in the event loop has run. */
  turn(): Promise<void> {
    if (setImmediate !== undefined) return new Promise((resolve) => setImmediate(resolve));
    const { port1, port2 } = this.#ports;
    return new Promise((resolve) => {
      port1.onmessage = () => resolve();
      port2.postMessage(0);
    });
  }

  /** Closes the ports, which would keep the event loop alive. */
  close(): void {
    this.#ports.port1.close();
    this.#ports.port2.close();
  }
}
