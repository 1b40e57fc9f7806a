/**
 * ModelBytes: what a file of the model holds and owns, page by page.
 *
 * Layer: tests, under `model_volume.ts`. A page is written, owned and unwritten, or a hole.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  SEEK_DATA,
  SEEK_HOLE,
} from "../../abi/flags.ts";

/** Bytes of a page: blocks of volumes that are compared with the model are as long. */
export const MODEL_PAGE_BYTES = 4096;

/** One file. */
export class ModelBytes {
  /** Length in bytes. */
  size: number;
  readonly #pages = new Map<number, Uint8Array>();
  readonly #unwritten = new Set<number>();

  /** Nothing but holes. */
  constructor(size: number) {
    this.size = size;
  }

  /** What it owns, in units of 512 bytes. */
  get blocks(): number {
    return (this.#pages.size + this.#unwritten.size) * (MODEL_PAGE_BYTES / 512);
  }

  /** Bytes read at `at`. */
  read(into: Uint8Array, at: number): number {
    const length = Math.max(0, Math.min(into.length, this.size - at));
    for (let done = 0; done < length;) {
      const inPage = (at + done) % MODEL_PAGE_BYTES;
      const step = Math.min(MODEL_PAGE_BYTES - inPage, length - done);
      const page = this.#pages.get((at + done - inPage) / MODEL_PAGE_BYTES);
      if (page === undefined) into.fill(0, done, done + step);
      else into.set(page.subarray(inPage, inPage + step), done);
      done += step;
    }
    return length;
  }

  /** Writes all of it at `at`. */
  write(from: Uint8Array, at: number): void {
    for (let done = 0; done < from.length;) {
      const inPage = (at + done) % MODEL_PAGE_BYTES;
      const index = (at + done - inPage) / MODEL_PAGE_BYTES;
      const page = this.#pages.get(index) ?? new Uint8Array(MODEL_PAGE_BYTES);
      const step = Math.min(MODEL_PAGE_BYTES - inPage, from.length - done);
      page.set(from.subarray(done, done + step), inPage);
      this.#pages.set(index, page);
      this.#unwritten.delete(index);
      done += step;
    }
    this.size = Math.max(this.size, at + from.length);
  }

  /** Cuts, or extends with a hole. */
  resize(size: number): void {
    for (const index of this.#pages.keys()) {
      if (index * MODEL_PAGE_BYTES >= size) this.#pages.delete(index);
    }
    for (const index of size < this.size ? this.#unwritten : []) {
      if (index * MODEL_PAGE_BYTES >= size) this.#unwritten.delete(index);
    }
    this.#pages.get(Math.floor(size / MODEL_PAGE_BYTES))?.fill(0, size % MODEL_PAGE_BYTES);
    this.size = size;
  }

  /** Owns, zeroes or gives back bytes `[at, end)`; the mode is a known one. */
  allocate(mode: number, at: number, end: number): void {
    const isPunch = (mode & FALLOC_FL_PUNCH_HOLE) !== 0;
    for (let index = Math.floor(at / MODEL_PAGE_BYTES); index * MODEL_PAGE_BYTES < end; index++) {
      const start = index * MODEL_PAGE_BYTES;
      if ((mode & ~FALLOC_FL_KEEP_SIZE) !== 0) this.#zero(index, at, end);
      // A page with the file's end in it is whole if the range goes on to that end.
      const isToEnd = start < this.size && end >= this.size;
      const isWhole = at <= start && (isToEnd || end >= start + MODEL_PAGE_BYTES);
      if (!isPunch && !this.#pages.has(index)) this.#unwritten.add(index);
      else if (isPunch && !this.#pages.has(index) && isWhole) this.#unwritten.delete(index);
    }
    if (!(mode & FALLOC_FL_KEEP_SIZE)) this.size = Math.max(this.size, end);
  }

  /** Zeroes what a range has of a page; one that shows nothing else is written no more. */
  #zero(index: number, at: number, end: number): void {
    const start = index * MODEL_PAGE_BYTES;
    const shown = Math.min(start + MODEL_PAGE_BYTES, Math.max(start + 1, this.size));
    const page = this.#pages.get(index);
    page?.fill(0, Math.max(0, at - start), Math.min(MODEL_PAGE_BYTES, end - start));
    if (at <= start && end >= shown) this.#pages.delete(index);
  }

  /** Takes bytes of another file, or of this one where they do not overlap; its holes too. */
  copy(
    source: ModelBytes,
    { at, to, length, limit }: { at: number; to: number; length: number; limit: number },
  ): number {
    const there = Math.max(0, Math.min(length, source.size - at));
    if (there > 0 && to >= limit) throw new ErrnoError("EFBIG", "copy beyond the largest offset");
    const count = Math.max(0, Math.min(there, limit - to));
    const isOverlap = source === this && at < to + count && to < at + count;
    if (count > 0 && isOverlap) throw new ErrnoError("EINVAL", "copy a range onto itself");
    for (let done = 0; done < count;) {
      const index = Math.floor((at + done) / MODEL_PAGE_BYTES);
      const isData = source.#pages.has(index);
      let end = at + done;
      while (end < at + count && source.#pages.has(Math.floor(end / MODEL_PAGE_BYTES)) === isData) {
        end = Math.min(at + count, (Math.floor(end / MODEL_PAGE_BYTES) + 1) * MODEL_PAGE_BYTES);
      }
      const [from, until] = [to + done, to + end - at];
      if (isData) {
        const bytes = new Uint8Array(until - from);
        source.read(bytes, at + done);
        this.write(bytes, from);
      } else {
        const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
        if (from < this.size) this.allocate(mode, from, Math.min(until, this.size));
        if (until > this.size) this.resize(until);
      }
      done = end - at;
    }
    return count;
  }

  /** The first byte at or after `at` that is data, or in a hole. */
  seek(at: number, whence: number): number {
    if (whence !== SEEK_DATA && whence !== SEEK_HOLE) throw new ErrnoError("EINVAL", "seek");
    const isInside = Number.isInteger(at) && at >= 0 && at < this.size;
    if (!isInside) throw new ErrnoError("ENXIO", "seek");
    const last = Math.max(-1, ...this.#pages.keys());
    for (let index = Math.floor(at / MODEL_PAGE_BYTES); index <= last + 1; index++) {
      const found = Math.max(at, index * MODEL_PAGE_BYTES);
      if (found < this.size && this.#pages.has(index) === (whence === SEEK_DATA)) return found;
    }
    if (whence === SEEK_DATA) throw new ErrnoError("ENXIO", "seek to data");
    return Math.floor(at / MODEL_PAGE_BYTES) > last ? at : this.size;
  }
}
