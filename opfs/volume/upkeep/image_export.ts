/**
 * A consistent image of a volume that is in use: the state of one moment, piece by piece.
 *
 * Layer: opfs/volume. A checkpoint writes everything home. From then on the blocks of that moment
 * stay as they are until they have been handed out: code that is about to write over one of them
 * says so first (`BlockWatch`), and its bytes are copied to a block without an owner. Memory holds
 * the tables of the moment and one piece. What changes during the export costs space on the device;
 * when that is full, the export ends with ENOSPC, never the volume.
 *
 * The image is closed and compact: it has the used blocks in their order, without the free ones
 * between them. So a run stays a run, and a block's new number is the count of used blocks before
 * it.
 *
 * Use: `volume.exportImage()`, a stream over {@link ImageExport}.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { Aside } from "../journal/aside.ts";
import type { BlockSet } from "../memory/block_set.ts";
import { encodeHeader } from "../format/header.ts";
import { ImageTables } from "./image_tables.ts";
import * as L from "../format/layout.ts";
import type { BlockWatch } from "../roles.ts";
import type { VolumeState } from "../state.ts";
import { encodeSuperblock, imageBytes, type Superblock } from "../format/superblock.ts";

/** Bytes that are handed out at a time. */
const PIECE_BYTES = 256 * 1024;
/** Bytes that are copied at a time. */
const ASIDE_BYTES = 64 * 1024;

/** An export under way. */
export class ImageExport implements BlockWatch {
  readonly #state: VolumeState;
  readonly #tables: ImageTables;
  /** Blocks of the moment that have not been handed out. */
  readonly #pending: BlockSet;
  readonly #pieces: Generator<Uint8Array<ArrayBuffer>, void, void>;
  readonly #aside: Aside;
  #failure: ErrnoError | null = null;
  #doneBytes = 0;
  #isOver = false;
  /** Length of the whole image. */
  readonly totalBytes: number;

  /** Takes the moment of the call: everything becomes durable and goes home. */
  constructor(state: VolumeState) {
    this.#state = state;
    this.#tables = new ImageTables(state);
    this.#aside = new Aside(state);
    this.#pending = this.#tables.used.clone();
    this.totalBytes = imageBytes(this.#superblock());
    this.#pieces = this.#all();
    state.watches.add(this);
  }

  /**
   * The next bytes of the image; null at its end.
   *
   * @throws {ErrnoError} ENOSPC when there was no room for copies of what changed, EBADF when the
   * volume has been closed during the export, EIO
   */
  next(): Uint8Array<ArrayBuffer> | null {
    if (this.#failure !== null) throw this.#failure;
    try {
      const { value, done } = this.#pieces.next();
      if (done !== true) {
        this.#doneBytes += value.length;
        return value;
      }
      const { totalBytes } = this;
      const isWhole = this.#doneBytes === totalBytes;
      invariant(isWhole, "V7: an image of {} bytes instead of {}", this.#doneBytes, totalBytes);
    } catch (error) {
      this.end(isErrnoError(error) ? error : this.#state.fail(error));
      throw this.#failure!;
    }
    this.end(null);
    return null;
  }

  /** Ends the export, finished or not; with a reason, `next` throws that from now on. */
  end(reason: ErrnoError | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = reason;
    this.#state.watches.delete(this);
    this.#aside.clear();
  }

  /** Blocks are about to be written over: copies those that have not been handed out. */
  beforeWrite(block: number, count: number): void {
    invariant(block >= 0 && count >= 0, "V15: {} blocks at {} are written over", count, block);
    try {
      const end = block + count;
      for (let at = this.#pending.nextFrom(block, end); at < end;) {
        const length = this.#wantedFrom(at, Math.min(end, at + this.#asideBlocks()));
        if (length > 0) this.#aside.put(at, length);
        at = this.#pending.nextFrom(at + Math.max(1, length), end);
      }
    } catch (error) {
      // The volume goes on; only the export ends.
      this.end(isErrnoError(error) ? error : new ErrnoError("EIO", String(error)));
    }
  }

  /** Whether the bytes of a block on the device are still to be handed out. */
  wants(block: number): boolean {
    return block < this.#pending.blocks && this.#pending.has(block) && !this.#aside.has(block);
  }

  /** How many adjacent blocks from one on are still wanted. */
  #wantedFrom(block: number, end: number): number {
    let at = block;
    while (at < end && this.wants(at)) at++;
    return at - block;
  }

  #asideBlocks(): number {
    return Math.max(1, Math.floor(ASIDE_BYTES / this.#state.blockSize));
  }

  #superblock(): Superblock {
    const { used, pathUsed } = this.#tables;
    const totalBlocks = Math.max(1, used.count);
    const freeBlocks = totalBlocks - used.count;
    return { ...this.#state.superblock, totalBlocks, freeBlocks, pathUsed };
  }

  *#all(): Generator<Uint8Array<ArrayBuffer>, void, void> {
    const superblock = this.#superblock();
    yield this.#head(superblock);
    const { ringBytes } = this.#state.header;
    yield* pieces(ringBytes);
    const sumBytes = superblock.inodeOffset - L.RING_AT - ringBytes;
    if (sumBytes > 0) yield this.#tables.firstSums(sumBytes);
    yield* this.#table("slots");
    yield* this.#table("names");
    yield* this.#table("bitmap");
    yield* this.#blocks();
    if (this.#tables.used.count === 0) yield new Uint8Array(superblock.blockSize);
  }

  /** The superblock's copy and both headers. */
  #head(superblock: Superblock): Uint8Array<ArrayBuffer> {
    const head = new Uint8Array(L.RING_AT);
    encodeSuperblock(superblock, new DataView(head.buffer), L.SUPERBLOCK_AT);
    const { header } = this.#state;
    const closed = {
      ...header,
      superblock,
      state: L.STATE.CLOSED,
      tailPlace: 0,
      tailChecksum: 0,
    };
    head.set(encodeHeader({ ...closed, counter: header.counter + 1 }), L.HEADER_A_AT);
    head.set(encodeHeader({ ...closed, counter: header.counter + 2 }), L.HEADER_B_AT);
    return head;
  }

  /** The first segment of a table. */
  *#table(table: "slots" | "names" | "bitmap"): Generator<Uint8Array<ArrayBuffer>, void, void> {
    const { bytes } = this.#state.segments[table][0]!;
    for (let at = 0; at < bytes; at += PIECE_BYTES) {
      yield this.#tables.copy(table, at, Math.min(PIECE_BYTES, bytes - at));
    }
  }

  /** Used blocks in order, those of further segments from memory. */
  *#blocks(): Generator<Uint8Array<ArrayBuffer>, void, void> {
    const { used } = this.#tables;
    const most = Math.max(1, Math.floor(PIECE_BYTES / this.#state.blockSize));
    for (let at = used.nextFrom(0, used.blocks); at < used.blocks;) {
      const run = used.runAt(at, Math.min(used.blocks, at + most));
      const piece = this.#piece(at, run);
      // Before it is handed out: its receiver may send it away.
      at = used.nextFrom(at + piece.length / this.#state.blockSize, used.blocks);
      yield piece;
    }
  }

  /** Up to `count` blocks that are all of one kind. */
  #piece(block: number, count: number): Uint8Array<ArrayBuffer> {
    const { blockSize } = this.#state;
    const segment = this.#tables.segmentAt(block, count);
    if (segment !== null) {
      this.#handOut(block, segment.length / blockSize);
      return segment;
    }
    const length = Math.min(count, this.#tables.untilSegment(block));
    const bytes = this.#read(block, length);
    this.#tables.zeroUnwritten(block, bytes);
    this.#handOut(block, length);
    return bytes;
  }

  #read(block: number, count: number): Uint8Array<ArrayBuffer> {
    const { blockSize, pool } = this.#state;
    const bytes = new Uint8Array(count * blockSize);
    this.#state.readBlocks(bytes, block);
    for (let index = 0; index < count; index++) {
      const own = bytes.subarray(index * blockSize, (index + 1) * blockSize);
      if (!this.#aside.read(block + index, own)) pool.patchOver(block + index, own);
    }
    return bytes;
  }

  #handOut(block: number, count: number): void {
    invariant(this.#pending.runAt(block, block + count) === count, "V1: a block handed out twice");
    this.#pending.clear(block, count);
    for (let index = 0; index < count; index++) this.#aside.drop(block + index);
  }
}

/** Zeros. */
function* pieces(length: number): Generator<Uint8Array<ArrayBuffer>, void, void> {
  for (let at = 0; at < length; at += PIECE_BYTES) {
    yield new Uint8Array(Math.min(PIECE_BYTES, length - at));
  }
}

/**
 * Exports whose streams may be dropped without a word. What is watched is what a stream calls, which lives
 * as long as the stream does: of the stream itself Chromium may collect its object in JavaScript while a
 * reader still reads. No export leads to it.
 */
const dropped = new FinalizationRegistry<ImageExport>((source) => source.end(null));

/**
 * The export as a stream that reads when it is read from. When it is dropped unread, the export ends
 * once the stream has been collected.
 */
export function streamOf(source: ImageExport): ReadableStream<Uint8Array<ArrayBuffer>> {
  const called: UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> = {
    pull(controller): void {
      const piece = source.next();
      if (piece === null) controller.close();
      else controller.enqueue(piece);
    },
    cancel(): void {
      source.end(null);
    },
  };
  dropped.register(called, source);
  return new ReadableStream(called, { highWaterMark: 0 });
}
