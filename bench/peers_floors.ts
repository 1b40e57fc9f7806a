/**
 * Two floors for stores on a sync access handle, in the caller's thread. They are no file systems: no
 * permissions, no link counts, no crash safety, paths as keys of one map. They bound what can be asked
 * for.
 *
 * - `wt` writes each change straight to the handle, and reads from it.
 * - `bc` keeps blocks of 4 KiB in memory, and writes dirty ones in runs with the records of what
 *   changed: when memory is full, and at `sync`. Pieces of 64 KiB and more go straight through.
 *
 * @module
 */
import type { StorageHandle } from "../opfs/mod.ts";

const BLOCK_BYTES = 4096;
const RECORD_BYTES = 128;
/** Where data begins; the records of `wt` lie before it, in a ring. */
const DATA_AT = 1 << 20;
const POOL_BLOCKS = 8192;
const BYPASS_BYTES = 65_536;
const STAGING_BYTES = 1 << 20;

/** A file: its blocks in order, and how long it is. */
export interface FloorFile {
  /** Length in bytes. */
  size: number;
  /** Block numbers. */
  blocks: number[];
}

/** A floor; `isCached` distinguishes `bc` from `wt`. */
export class Floor {
  readonly #handle: StorageHandle;
  readonly #isCached: boolean;
  readonly #files = new Map<string, FloorFile>();
  readonly #names = new Map<string, Set<string>>();
  readonly #free: number[] = [];
  #next = 0;
  readonly #record = new Uint8Array(RECORD_BYTES);
  #records = new Uint8Array(STAGING_BYTES);
  #recordCount = 0;
  readonly #frameOf = new Map<number, number>();
  readonly #arena: Uint8Array;
  readonly #blockOf: Int32Array;
  readonly #dirty: Uint8Array;
  readonly #staging = new Uint8Array(STAGING_BYTES);
  #hand = 0;

  /** An empty one on this device. */
  constructor(handle: StorageHandle, isCached: boolean) {
    this.#handle = handle;
    this.#isCached = isCached;
    const frames = isCached ? POOL_BLOCKS : 0;
    this.#arena = new Uint8Array(frames * BLOCK_BYTES);
    this.#blockOf = new Int32Array(frames).fill(-1);
    this.#dirty = new Uint8Array(frames);
  }

  /** The file, made if need be. */
  open(path: string): FloorFile {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = { size: 0, blocks: [] };
      this.#files.set(path, file);
      this.#namesOf(path).add(path);
      this.#note();
    }
    return file;
  }

  /** The file, or undefined. */
  get(path: string): FloorFile | undefined {
    return this.#files.get(path);
  }

  /** Paths in a directory. */
  list(directory: string): string[] {
    return Array.from(this.#names.get(directory) ?? []);
  }

  /** Moves a path. */
  rename(from: string, to: string): void {
    const file = this.#files.get(from)!;
    this.#files.delete(from);
    this.#namesOf(from).delete(from);
    this.#files.set(to, file);
    this.#namesOf(to).add(to);
    this.#note();
  }

  /** Removes a path. */
  unlink(path: string): void {
    const { blocks } = this.#files.get(path)!;
    this.#files.delete(path);
    this.#namesOf(path).delete(path);
    for (const block of blocks) this.#give(block);
    this.#note();
  }

  #namesOf(path: string): Set<string> {
    const directory = path.slice(0, path.lastIndexOf("/"));
    let names = this.#names.get(directory);
    if (names === undefined) this.#names.set(directory, names = new Set());
    return names;
  }

  #give(block: number): void {
    this.#free.push(block);
    const frame = this.#frameOf.get(block);
    if (frame === undefined) return;
    this.#frameOf.delete(block);
    this.#blockOf[frame] = -1;
    this.#dirty[frame] = 0;
  }

  /** A change of names or sizes: written at once, or with the next batch. */
  #note(): void {
    if (!this.#isCached) {
      const at = this.#recordCount++ % (DATA_AT / RECORD_BYTES) * RECORD_BYTES;
      this.#handle.write(this.#record, { at });
      return;
    }
    this.#records.set(this.#record, this.#recordCount++ * RECORD_BYTES);
    if (this.#recordCount * RECORD_BYTES === STAGING_BYTES) this.#writeRecords();
  }

  #writeRecords(): void {
    this.#handle.write(this.#records.subarray(0, this.#recordCount * RECORD_BYTES), { at: 0 });
    this.#recordCount = 0;
  }

  /** Writes at a position. */
  write(file: FloorFile, bytes: Uint8Array, position: number): number {
    const end = position + bytes.length;
    while (file.blocks.length * BLOCK_BYTES < end) {
      file.blocks.push(this.#free.pop() ?? this.#next++);
    }
    if (this.#isCached && bytes.length < BYPASS_BYTES) this.#writeCached(file, bytes, position);
    else this.#eachRun(file, bytes, position, (piece, at) => this.#handle.write(piece, { at }));
    if (end > file.size) {
      file.size = end;
      this.#note();
    }
    return bytes.length;
  }

  /** Reads at a position. */
  read(file: FloorFile, into: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(into.length, file.size - position));
    const bytes = count === into.length ? into : into.subarray(0, count);
    if (this.#isCached && count < BYPASS_BYTES) this.#readCached(file, bytes, position);
    else this.#eachRun(file, bytes, position, (piece, at) => this.#handle.read(piece, { at }));
    return count;
  }

  /** Cuts a transfer into pieces that lie together on the device. */
  #eachRun(
    file: FloorFile,
    bytes: Uint8Array,
    position: number,
    act: (piece: Uint8Array, at: number) => void,
  ): void {
    for (let done = 0; done < bytes.length;) {
      const first = Math.floor((position + done) / BLOCK_BYTES);
      const inside = (position + done) % BLOCK_BYTES;
      const start = file.blocks[first]!;
      let count = 1;
      while (
        count * BLOCK_BYTES - inside < bytes.length - done &&
        file.blocks[first + count] === start + count
      ) count++;
      const length = Math.min(bytes.length - done, count * BLOCK_BYTES - inside);
      for (let index = 0; index < count; index++) this.#forget(start + index);
      const at = DATA_AT + start * BLOCK_BYTES + inside;
      act(length === bytes.length ? bytes : bytes.subarray(done, done + length), at);
      done += length;
    }
  }

  /** What goes straight through must not meet an older block in memory. */
  #forget(block: number): void {
    const frame = this.#frameOf.get(block);
    if (frame === undefined) return;
    if (this.#dirty[frame] === 1) this.flushBlocks();
    this.#frameOf.delete(block);
    this.#blockOf[frame] = -1;
  }

  #writeCached(file: FloorFile, bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length;) {
      const inside = (position + done) % BLOCK_BYTES;
      const length = Math.min(bytes.length - done, BLOCK_BYTES - inside);
      const index = Math.floor((position + done) / BLOCK_BYTES);
      const isOld = length < BLOCK_BYTES && index * BLOCK_BYTES < file.size;
      const frame = this.#frame(file.blocks[index]!, isOld);
      const piece = length === bytes.length ? bytes : bytes.subarray(done, done + length);
      this.#arena.set(piece, frame * BLOCK_BYTES + inside);
      this.#dirty[frame] = 1;
      done += length;
    }
  }

  #readCached(file: FloorFile, into: Uint8Array, position: number): void {
    for (let done = 0; done < into.length;) {
      const inside = (position + done) % BLOCK_BYTES;
      const length = Math.min(into.length - done, BLOCK_BYTES - inside);
      const frame = this.#frame(file.blocks[Math.floor((position + done) / BLOCK_BYTES)]!, true);
      const from = frame * BLOCK_BYTES + inside;
      into.set(this.#arena.subarray(from, from + length), done);
      done += length;
    }
  }

  /** Where a block is in memory, read if it has to be. First in, first out. */
  #frame(block: number, isOld: boolean): number {
    const known = this.#frameOf.get(block);
    if (known !== undefined) return known;
    const frame = this.#hand;
    this.#hand = (this.#hand + 1) % POOL_BLOCKS;
    if (this.#dirty[frame] === 1) this.flushBlocks();
    if (this.#blockOf[frame]! >= 0) this.#frameOf.delete(this.#blockOf[frame]!);
    this.#frameOf.set(block, frame);
    this.#blockOf[frame] = block;
    if (isOld) {
      const from = frame * BLOCK_BYTES;
      this.#handle.read(this.#arena.subarray(from, from + BLOCK_BYTES), {
        at: DATA_AT + block * BLOCK_BYTES,
      });
    }
    return frame;
  }

  /** Writes what is dirty, blocks side by side in one call. */
  flushBlocks(): void {
    const blocks: number[] = [];
    for (let frame = 0; frame < this.#dirty.length; frame++) {
      if (this.#dirty[frame] === 1) blocks.push(this.#blockOf[frame]!);
    }
    const sorted = Int32Array.from(blocks).sort();
    for (let first = 0; first < sorted.length;) {
      let count = 0;
      while (
        sorted[first + count] === sorted[first]! + count && count < STAGING_BYTES / BLOCK_BYTES
      ) {
        const frame = this.#frameOf.get(sorted[first + count]!)!;
        const from = frame * BLOCK_BYTES;
        this.#staging.set(this.#arena.subarray(from, from + BLOCK_BYTES), count * BLOCK_BYTES);
        count++;
      }
      this.#handle.write(this.#staging.subarray(0, count * BLOCK_BYTES), {
        at: DATA_AT + sorted[first]! * BLOCK_BYTES,
      });
      first += count;
    }
    this.#dirty.fill(0);
  }

  /** Makes everything durable. */
  sync(): void {
    if (this.#isCached) {
      this.flushBlocks();
      if (this.#recordCount > 0) this.#writeRecords();
    }
    this.#handle.flush();
  }

  /** Lets the device go. */
  close(): void {
    this.sync();
    this.#handle.close();
  }
}
