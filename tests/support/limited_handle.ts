/**
 * A device that is full at some size: growing beyond it is ENOSPC, and nothing is written then.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";

/** Passes everything on that stays within the limit. */
export class LimitedHandle implements StorageHandle {
  readonly #handle: StorageHandle;
  readonly #limitBytes: number;

  /** `handle`, but no longer than `limitBytes`. */
  constructor(handle: StorageHandle, limitBytes: number) {
    this.#handle = handle;
    this.#limitBytes = limitBytes;
  }

  #check(endBytes: number): void {
    if (endBytes > this.#limitBytes) throw new ErrnoError("ENOSPC", `grow to ${endBytes} bytes`);
  }

  read(into: Uint8Array, options: { at: number }): number {
    return this.#handle.read(into, options);
  }

  write(from: Uint8Array, options: { at: number }): number {
    this.#check(options.at + from.length);
    return this.#handle.write(from, options);
  }

  getSize(): number {
    return this.#handle.getSize();
  }

  truncate(size: number): void {
    this.#check(size);
    this.#handle.truncate(size);
  }

  flush(): void {
    this.#handle.flush();
  }

  getSpareBytes(): number {
    return Math.max(0, this.#limitBytes - this.#handle.getSize());
  }

  close(): void {
    this.#handle.close();
  }
}
