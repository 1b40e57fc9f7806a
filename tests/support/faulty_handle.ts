/**
 * A device whose Nth call fails, once or from then on.
 *
 * Layer: tests. Counts every call that can fail: read, write, truncate, flush.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";

/** Which calls fail. */
export interface Fault {
  /** The first call that fails, from 1 on. */
  call: number;
  /** Whether all later ones fail too. */
  isForEver: boolean;
  /** Whether a write fails by taking half of its bytes instead of throwing. */
  isShort?: boolean;
  /** Whether a write or a cut fails with EIO: what has become of it, nobody knows. */
  isUnknown?: boolean;
}

/** Passes on what does not fail. */
export class FaultyHandle implements StorageHandle {
  readonly #handle: StorageHandle;
  readonly #fault: Fault;
  /** Calls so far. */
  calls = 0;
  /** Calls so far, by name. */
  readonly counts: Record<"read" | "write" | "truncate" | "flush", number> = {
    read: 0,
    write: 0,
    truncate: 0,
    flush: 0,
  };
  /** Whether a flush has failed, or something else whose outcome is unknown. */
  hasFailedFlush = false;
  /** Writes and cuts after that: there must be none. */
  writesAfterFailure = 0;

  /** `handle` with a fault. */
  constructor(handle: StorageHandle, fault: Fault) {
    this.#handle = handle;
    this.#fault = fault;
  }

  /** Counts a call; whether it fails. */
  #fails(name: keyof FaultyHandle["counts"]): boolean {
    this.calls++;
    this.counts[name]++;
    if (this.hasFailedFlush && (name === "write" || name === "truncate")) this.writesAfterFailure++;
    const { call, isForEver } = this.#fault;
    return isForEver ? this.calls >= call : this.calls === call;
  }

  read(into: Uint8Array, options: { at: number }): number {
    if (this.#fails("read")) throw new Error("the device does not read");
    return this.#handle.read(into, options);
  }

  write(from: Uint8Array, options: { at: number }): number {
    if (!this.#fails("write")) return this.#handle.write(from, options);
    const half = from.subarray(0, from.length >> 1);
    this.#handle.write(half, options);
    this.#failUnknown();
    if (this.#fault.isShort === true) return half.length;
    throw new Error("the device does not write");
  }

  truncate(size: number): void {
    if (this.#fails("truncate")) {
      this.#failUnknown();
      throw new Error("the device does not grow");
    }
    this.#handle.truncate(size);
  }

  #failUnknown(): void {
    if (this.#fault.isUnknown !== true) return;
    this.hasFailedFlush = true;
    throw new ErrnoError("EIO", "use the device");
  }

  flush(): void {
    if (this.#fails("flush")) {
      this.hasFailedFlush = true;
      throw new Error("the device does not flush");
    }
    this.#handle.flush();
  }

  getSize(): number {
    return this.#handle.getSize();
  }

  close(): void {
    this.#handle.close();
  }
}
