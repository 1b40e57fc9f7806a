/**
 * Chunks: where the bytes of in-memory files come from, and where they go back to.
 *
 * Layer: stream_ops. A pool hands out arrays of five sizes and counts what is owned against a
 * limit. What is given back is kept for the next taker, because a fresh buffer costs more than the
 * copy into it. A chunk comes with whatever bytes its last owner left: the taker zeroes what it does
 * not fill. Use: one pool per mount; `stream_ops/chunk_tree.ts` builds files of chunks.
 *
 * @module
 */
import { invariant } from "../abi/invariant.ts";

/** The smallest chunk: a file of a few lines. */
export const SMALL_BYTES = 256;
/** A quarter of a page: most of the files that people write. */
export const QUARTER_BYTES = 1024;
/** A page: the unit of holes. */
export const PAGE_BYTES = 4096;
/** Sixteen pages. */
export const BLOCK_BYTES = 65536;
/** Sixteen blocks: the unit of big files. */
export const UNIT_BYTES = 1048576;

/** The sizes of chunks, in bytes. */
export type ChunkBytes =
  | typeof SMALL_BYTES
  | typeof QUARTER_BYTES
  | typeof PAGE_BYTES
  | typeof BLOCK_BYTES
  | typeof UNIT_BYTES;

/** Chunks of one size without an owner. */
interface FreeChunks {
  readonly chunks: Uint8Array[];
  /** How many it keeps before it lets the garbage collector have them. */
  readonly keepCount: number;
  /** How many are cut from one buffer: a view costs a twentieth of a buffer. */
  readonly slabCount: number;
}

function freeChunks(keepCount: number, slabCount: number): FreeChunks {
  return { chunks: [], keepCount, slabCount };
}

/** Keeps an account: what is owned never exceeds the limit. */
export class ChunkPool {
  /** What chunks and charges may own together, in bytes. */
  readonly limitBytes: number;
  #usedBytes = 0;
  readonly #small = freeChunks(16384, 256);
  readonly #quarters = freeChunks(16384, 64);
  readonly #pages = freeChunks(8192, 16);
  readonly #blocks = freeChunks(512, 1);
  readonly #units = freeChunks(64, 1);

  /** A pool that gives up to `limitBytes`. */
  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** What is owned, in bytes. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** What may still be taken, in bytes. */
  get freeBytes(): number {
    return Math.max(0, this.limitBytes - this.#usedBytes);
  }

  /** Whether there is room to be generous with chunks of this size. */
  isRoomy(sizeBytes: number): boolean {
    return this.freeBytes >= sizeBytes * 32;
  }

  /** A chunk with unknown contents, or null when the limit or the machine has no more. */
  take(sizeBytes: ChunkBytes): Uint8Array | null {
    return this.#usedBytes + sizeBytes > this.limitBytes ? null : this.takeBeyond(sizeBytes);
  }

  /** The same without a look at the limit: for an exchange that gives back as much at once. */
  takeBeyond(sizeBytes: ChunkBytes): Uint8Array | null {
    const free = this.#freeOf(sizeBytes);
    const chunk = free.chunks.pop() ?? make(free, sizeBytes);
    if (chunk !== null) this.#usedBytes += sizeBytes;
    return chunk;
  }

  /** Takes a chunk back. */
  give(chunk: Uint8Array): void {
    const free = this.#freeOf(chunk.length as ChunkBytes);
    this.refund(chunk.length);
    if (free.chunks.length < free.keepCount) free.chunks.push(chunk);
  }

  /** Counts bytes that live elsewhere; false when there is no room for them. */
  charge(sizeBytes: number): boolean {
    if (this.#usedBytes + sizeBytes > this.limitBytes) return false;
    this.#usedBytes += sizeBytes;
    return true;
  }

  /** Takes a charge back. */
  refund(sizeBytes: number): void {
    invariant(sizeBytes <= this.#usedBytes, "F3: a pool takes back more than it gave");
    this.#usedBytes -= sizeBytes;
  }

  #freeOf(sizeBytes: ChunkBytes): FreeChunks {
    if (sizeBytes === PAGE_BYTES) return this.#pages;
    if (sizeBytes === BLOCK_BYTES) return this.#blocks;
    if (sizeBytes === UNIT_BYTES) return this.#units;
    if (sizeBytes === QUARTER_BYTES) return this.#quarters;
    invariant(sizeBytes === SMALL_BYTES, "F3: a chunk has none of five sizes");
    return this.#small;
  }
}

/** Cuts a slab into chunks, shelves all but one; null when the machine has no memory. */
function make(free: FreeChunks, sizeBytes: number): Uint8Array | null {
  const slab = allocate(sizeBytes * free.slabCount);
  if (slab === null) return null;
  for (let index = free.slabCount - 1; index > 0; index--) {
    free.chunks.push(new Uint8Array(slab, index * sizeBytes, sizeBytes));
  }
  return new Uint8Array(slab, 0, sizeBytes);
}

function allocate(sizeBytes: number): ArrayBuffer | null {
  try {
    return new ArrayBuffer(sizeBytes);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
