/**
 * A host that stores what is written at a flush, and may find no room then. It has forgotten what it
 * could not store: a later flush that succeeds says nothing of it, though it is shown until power goes.
 *
 * Layer: tests. `refusals` is how many flushes are refused from now on, after `delay` others.
 *
 * @module
 */
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { type MemoryHandle, memoryHandle } from "../../opfs/device/memory.ts";

/** A device in memory on such a host. */
export class ForgettingHandle implements StorageHandle {
  readonly #shown: MemoryHandle = memoryHandle();
  readonly #stored: MemoryHandle = memoryHandle();
  #unstored: ((device: MemoryHandle) => void)[] = [];
  /** How many flushes are refused, after so many that are not. */
  refusals = 0;
  delay = 0;
  /** Where each write went. */
  readonly writes: number[] = [];

  read(into: Uint8Array, options: { at: number }): number {
    return this.#shown.read(into, options);
  }

  write(from: Uint8Array, options: { at: number }): number {
    const bytes = from.slice();
    this.writes.push(options.at);
    this.#unstored.push((device) => void device.write(bytes, options));
    return this.#shown.write(bytes, options);
  }

  getSize(): number {
    return this.#shown.getSize();
  }

  truncate(size: number): void {
    this.#unstored.push((device) => device.truncate(size));
    this.#shown.truncate(size);
  }

  flush(): void {
    const unstored = this.#unstored.splice(0);
    if (this.delay-- <= 0 && this.refusals > 0) {
      this.refusals--;
      throw new DOMException("no room", "QuotaExceededError");
    }
    for (const change of unstored) change(this.#stored);
  }

  close(): void {}

  /** What is there after power has gone. */
  afterPowerCut(): MemoryHandle {
    return memoryHandle(this.#stored.toBytes());
  }
}
