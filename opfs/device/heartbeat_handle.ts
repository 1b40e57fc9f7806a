/**
 * HeartbeatHandle: a device that shows a sign of life around each of its calls, and counts them.
 *
 * Layer: device, around another one, as the relay's worker has it. One operation of the engine may
 * be many calls of the device, all in one turn of the relay; without this a long one would be taken
 * for death.
 *
 * Use: `const device = new HeartbeatHandle(handle, () => relay?.beat())`.
 *
 * @module
 */
import type { StorageHandle } from "./handle.ts";

/** What a device has been asked. */
export interface DeviceCounts {
  /** Calls of `read`. */
  reads: number;
  /** Bytes asked of them. */
  readBytes: number;
  /** Calls of `write`. */
  writes: number;
  /** Bytes given to them. */
  writtenBytes: number;
  /** Calls of `flush`. */
  flushes: number;
}

/** A device that beats and counts. */
export class HeartbeatHandle implements StorageHandle {
  /** What it has been asked so far. */
  readonly counts: DeviceCounts = {
    reads: 0,
    readBytes: 0,
    writes: 0,
    writtenBytes: 0,
    flushes: 0,
  };
  /** Whether the device is. */
  readonly isSparse: boolean;
  readonly #device: StorageHandle;
  readonly #beat: () => void;

  /** `device`, and what is called around its calls. */
  constructor(device: StorageHandle, beat: () => void) {
    this.#device = device;
    this.isSparse = device.isSparse ?? false;
    this.#beat = beat;
  }

  /** Reads from the device. */
  read(into: Uint8Array, options: { at: number }): number {
    this.#beat();
    this.counts.reads += 1;
    this.counts.readBytes += into.byteLength;
    return this.#device.read(into, options);
  }

  /** Writes to the device. */
  write(from: Uint8Array, options: { at: number }): number {
    this.#beat();
    this.counts.writes += 1;
    this.counts.writtenBytes += from.byteLength;
    return this.#device.write(from, options);
  }

  /** Size of the device in bytes. */
  getSize(): number {
    return this.#device.getSize();
  }

  /** Bytes by which the device could grow; Infinity where that is not known. */
  getSpareBytes(): number {
    return this.#device.getSpareBytes?.() ?? Infinity;
  }

  /** Bytes that the device may come to have, by an estimate; Infinity without one. */
  getQuotaBytes(): number {
    return this.#device.getQuotaBytes?.() ?? Infinity;
  }

  /** Cuts or extends the device. */
  truncate(sizeBytes: number): void {
    this.#beat();
    this.#device.truncate(sizeBytes);
  }

  /** Makes everything durable: the longest call, so it beats after it too. */
  flush(): void {
    this.#beat();
    this.counts.flushes += 1;
    this.#device.flush();
    this.#beat();
  }

  /** Lets the device go. */
  close(): void {
    this.#device.close();
  }
}
