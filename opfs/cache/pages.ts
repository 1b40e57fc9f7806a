/**
 * Clean pages of files that a cache has read.
 *
 * Layer: opfs, part of `../cache.ts`. A page is 16 KiB of a file, shorter at its end. The least recently
 * used pages go first. A read that misses fetches whole pages, so that small reads in a row ask once.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";
import type { Ino, VolumeOps } from "../volume_ops.ts";

/** Bytes of a page. */
export const CACHE_PAGE_BYTES = 16_384;

interface Page {
  bytes: Uint8Array;
  /** Bytes of the file in it; fewer than a page at the end of the file. */
  count: number;
}

interface File {
  pages: Map<number, Page>;
  hasEnd: boolean;
}

/** Pages by inode. */
export class PageCache {
  /** Least recently used first: a Map keeps the order of insertion. */
  readonly #files = new Map<Ino, File>();
  readonly #limit: number;
  readonly #spare: Uint8Array[] = [];
  #count = 0;

  /** Keeps at most `limitBytes`. */
  constructor(limitBytes: number) {
    this.#limit = Math.floor(limitBytes / CACHE_PAGE_BYTES);
  }

  /** Whether it keeps anything at all. */
  get isUsed(): boolean {
    return this.#limit > 0;
  }

  /** Bytes that it holds. */
  get sizeBytes(): number {
    return this.#count * CACHE_PAGE_BYTES;
  }

  /** Bytes read, or -1 if a page is missing. */
  read(ino: Ino, into: Uint8Array, at: number): number {
    invariant(at >= 0, "R8: what is before the file is asked for");
    const file = this.#files.get(ino);
    if (file === undefined) return -1;
    let done = 0;
    while (done < into.length) {
      const index = Math.floor((at + done) / CACHE_PAGE_BYTES);
      const page = file.pages.get(index);
      if (page === undefined) return -1;
      const start = at + done - index * CACHE_PAGE_BYTES;
      const count = Math.max(0, Math.min(page.count - start, into.length - done));
      into.set(page.bytes.subarray(start, start + count), done);
      done += count;
      if (page.count < CACHE_PAGE_BYTES) break;
    }
    this.#files.delete(ino);
    this.#files.set(ino, file);
    return done;
  }

  /** Reads from the volume by whole pages, and keeps them. */
  fill(volume: VolumeOps, ino: Ino, into: Uint8Array, at: number, isQuiet = false): number {
    const last = Math.floor((at + into.length - 1) / CACHE_PAGE_BYTES);
    for (let index = Math.floor(at / CACHE_PAGE_BYTES); index <= last; index++) {
      const known = this.#files.get(ino)?.pages.get(index);
      const page = known ?? this.#fetch(volume, ino, index, isQuiet);
      if (page.count < CACHE_PAGE_BYTES) break;
    }
    const count = this.read(ino, into, at);
    // Making room for the last page may have cost the first one its place.
    return count >= 0 ? count : volume.read(ino, into, at, isQuiet);
  }

  /** Forgets a file. */
  forget(ino: Ino): void {
    const file = this.#files.get(ino);
    if (file === undefined) return;
    this.#files.delete(ino);
    for (const page of file.pages.values()) this.#drop(page);
  }

  /** Forgets what a write from `from` up to `to` changes: where it ends the file, its end too. */
  forgetRange(ino: Ino, from: number, to: number): void {
    invariant(from <= to, "R8: a range ends before it begins");
    const file = this.#files.get(ino);
    if (file === undefined) return;
    if (file.hasEnd || to - from > this.#limit * CACHE_PAGE_BYTES) return this.forget(ino);
    const last = Math.floor((to - 1) / CACHE_PAGE_BYTES);
    for (let index = Math.floor(from / CACHE_PAGE_BYTES); index <= last; index++) {
      const page = file.pages.get(index);
      if (page === undefined) continue;
      file.pages.delete(index);
      this.#drop(page);
    }
    if (file.pages.size === 0) this.#files.delete(ino);
  }

  /** Forgets what an append changes. Pages that are full stay as they are. */
  forgetEnd(ino: Ino): void {
    if (this.#files.get(ino)?.hasEnd) this.forget(ino);
  }

  /** Forgets everything. */
  clear(): void {
    for (const ino of [...this.#files.keys()]) this.forget(ino);
  }

  #fetch(volume: VolumeOps, ino: Ino, index: number, isQuiet: boolean): Page {
    const bytes = this.#room();
    const page = { bytes, count: volume.read(ino, bytes, index * CACHE_PAGE_BYTES, isQuiet) };
    invariant(page.count >= 0 && page.count <= bytes.length, "R8: a page holds more than it can");
    const file = this.#files.get(ino) ?? { pages: new Map<number, Page>(), hasEnd: false };
    this.#files.delete(ino);
    this.#files.set(ino, file);
    file.pages.set(index, page);
    file.hasEnd ||= page.count < CACHE_PAGE_BYTES;
    this.#count++;
    return page;
  }

  /** A page's memory, if need be that of the file used longest ago. */
  #room(): Uint8Array {
    while (this.#count >= this.#limit) {
      const [oldest, file] = this.#files.entries().next().value as [Ino, File];
      const [index, page] = file.pages.entries().next().value as [number, Page];
      file.pages.delete(index);
      this.#drop(page);
      if (file.pages.size === 0) this.#files.delete(oldest);
    }
    return this.#spare.pop() ?? new Uint8Array(CACHE_PAGE_BYTES);
  }

  #drop(page: Page): void {
    this.#count--;
    this.#spare.push(page.bytes);
  }
}
