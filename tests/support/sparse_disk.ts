/**
 * A device on a disk of limited room whose files are sparse: it may say that it is long, and has no
 * room when something is written where nothing has been.
 *
 * Layer: tests.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { type MemoryHandle, memoryHandle } from "../../opfs/device/memory.ts";

const PAGE_BYTES = 4096;

/** A device that occupies what has been written. */
export class SparseDisk implements StorageHandle {
  /** The bytes. */
  readonly device: MemoryHandle = memoryHandle();
  readonly isSparse = true;
  readonly #occupied = new Set<number>();
  /** Pages that there are. */
  pages: number;

  /** An empty file on a disk of so many pages. */
  constructor(pages: number) {
    this.pages = pages;
  }

  /** Pages that are occupied. */
  get usedPages(): number {
    return this.#occupied.size;
  }

  read(into: Uint8Array, options: { at: number }): number {
    return this.device.read(into, options);
  }

  write(from: Uint8Array, options: { at: number }): number {
    const first = Math.floor(options.at / PAGE_BYTES);
    const last = Math.floor((options.at + from.length - 1) / PAGE_BYTES);
    for (let page = first; page <= last; page++) {
      if (this.#occupied.has(page)) continue;
      if (this.#occupied.size >= this.pages) throw new ErrnoError("ENOSPC", "write: disk full");
      this.#occupied.add(page);
    }
    return this.device.write(from, options);
  }

  truncate(size: number): void {
    for (const page of this.#occupied) {
      if (page * PAGE_BYTES >= size) this.#occupied.delete(page);
    }
    this.device.truncate(size);
  }

  getSize(): number {
    return this.device.getSize();
  }

  flush(): void {}

  close(): void {}
}
