/**
 * A device of bytes in memory: for tests, for volumes that need not survive, and as the pattern for
 * every other device.
 *
 * Layer: device. Bytes are kept in pages that come into being when something is written there, so
 * growing copies nothing, and a device of 8 TiB that holds a few bytes costs a few pages.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import type { StorageHandle } from "./handle.ts";

const PAGE_BYTES = 64 * 1024;

/** A {@link StorageHandle} whose contents can be taken out. */
export interface MemoryHandle extends StorageHandle {
  /** A copy of all bytes. */
  toBytes(): Uint8Array<ArrayBuffer>;
}

/**
 * Bytes in memory as a device, holding a copy of `initial`. Closing it keeps the bytes: what was
 * closed can be opened again as a volume.
 *
 * @example
 * ```ts
 * import { memoryHandle } from "@cairn/fs/opfs";
 * import { assertEquals } from "@std/assert";
 *
 * const handle = memoryHandle();
 * handle.write(new Uint8Array([1, 2]), { at: 3 });
 * assertEquals(handle.toBytes(), new Uint8Array([0, 0, 0, 1, 2]));
 * ```
 */
export function memoryHandle(initial?: Uint8Array): MemoryHandle {
  const handle = new PagedMemory();
  if (initial !== undefined && initial.length > 0) handle.write(initial, { at: 0 });
  return handle;
}

class PagedMemory implements MemoryHandle {
  readonly #pages = new Map<number, Uint8Array<ArrayBuffer>>();
  #size = 0;

  read(into: Uint8Array, { at }: { at: number }): number {
    checkOffset(at);
    const count = Math.max(0, Math.min(into.length, this.#size - at));
    for (let done = 0; done < count;) {
      const inPage = (at + done) % PAGE_BYTES;
      const length = Math.min(count - done, PAGE_BYTES - inPage);
      const page = this.#pages.get(Math.floor((at + done) / PAGE_BYTES));
      if (page === undefined) into.fill(0, done, done + length);
      else into.set(page.subarray(inPage, inPage + length), done);
      done += length;
    }
    return count;
  }

  write(from: Uint8Array, { at }: { at: number }): number {
    checkOffset(at);
    for (let done = 0; done < from.length;) {
      const inPage = (at + done) % PAGE_BYTES;
      const length = Math.min(from.length - done, PAGE_BYTES - inPage);
      this.#pageFor(Math.floor((at + done) / PAGE_BYTES))
        .set(from.subarray(done, done + length), inPage);
      done += length;
    }
    if (from.length > 0) this.#size = Math.max(this.#size, at + from.length);
    return from.length;
  }

  #pageFor(index: number): Uint8Array<ArrayBuffer> {
    let page = this.#pages.get(index);
    if (page === undefined) this.#pages.set(index, page = new Uint8Array(PAGE_BYTES));
    return page;
  }

  getSize(): number {
    return this.#size;
  }

  truncate(sizeBytes: number): void {
    checkOffset(sizeBytes);
    if (sizeBytes < this.#size) this.#cut(sizeBytes);
    this.#size = sizeBytes;
  }

  #cut(sizeBytes: number): void {
    const last = Math.floor(sizeBytes / PAGE_BYTES);
    for (const index of this.#pages.keys()) if (index > last) this.#pages.delete(index);
    this.#pages.get(last)?.fill(0, sizeBytes % PAGE_BYTES);
  }

  flush(): void {}

  close(): void {}

  toBytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#size);
    this.read(bytes, { at: 0 });
    return bytes;
  }
}

function checkOffset(offset: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new ErrnoError("EINVAL", `use a device at ${offset}`);
  }
}
