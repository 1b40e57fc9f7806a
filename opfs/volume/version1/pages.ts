/**
 * A device read through a few cached pages: slots and paths are small, and lie anywhere.
 *
 * Layer: opfs/volume. Bounded: {@link PAGES_MAX} pages, whatever the image. What lies beyond the
 * device's end reads as zeros, so that no number in an image can make a read fail.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import type { StorageHandle } from "../../device/handle.ts";

const PAGE_BYTES = 64 * 1024;
/** Pages kept: 4 MiB. */
export const PAGES_MAX = 64;

/** Small reads from anywhere on a device. */
export class CachedPages {
  readonly #handle: StorageHandle;
  readonly #pages = new Map<number, Uint8Array<ArrayBuffer>>();

  /** Reads from `handle`, which must not change while this reads. */
  constructor(handle: StorageHandle) {
    this.#handle = handle;
  }

  /** Fills `into[0..length)` from byte `at` on. */
  copy(at: number, into: Uint8Array, length: number = into.length): void {
    invariant(length <= into.length && at >= 0, "V7: a read that does not fit its buffer");
    for (let done = 0; done < length;) {
      const page = Math.floor((at + done) / PAGE_BYTES);
      const inside = at + done - page * PAGE_BYTES;
      const step = Math.min(length - done, PAGE_BYTES - inside);
      into.set(this.#page(page).subarray(inside, inside + step), done);
      done += step;
    }
  }

  #page(index: number): Uint8Array<ArrayBuffer> {
    const cached = this.#pages.get(index);
    if (cached !== undefined) return cached;
    const page = this.#freshPage();
    page.fill(0, readDevice1(this.#handle, page, index * PAGE_BYTES));
    this.#pages.set(index, page);
    return page;
  }

  /** A new page, or the one that came first. */
  #freshPage(): Uint8Array<ArrayBuffer> {
    if (this.#pages.size < PAGES_MAX) return new Uint8Array(PAGE_BYTES);
    const [index, page] = this.#pages.entries().next().value!;
    this.#pages.delete(index);
    return page;
  }
}

/**
 * Reads what is there, up to the device's end, and returns how much that was.
 *
 * @throws {ErrnoError} the device's own, or EIO
 */
export function readDevice1(handle: StorageHandle, into: Uint8Array, at: number): number {
  try {
    return handle.read(into, { at });
  } catch (error) {
    if (isErrnoError(error)) throw error;
    throw new ErrnoError("EIO", `read the image at ${at}`, { cause: error });
  }
}
