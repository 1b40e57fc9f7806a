/**
 * Maps of files. Without an allocator a shared map is a view of one buffer per inode, so that every
 * shared map of a file in this instance is the same memory; with one, maps are copies in a program's
 * heap, which msync and munmap write back.
 *
 * Layer: fs. This module gets no notice of a store to memory. So the shared memory is compared
 * with the file, and written where they differ, whenever the file is read, synced or unmapped; and
 * what is written to the file goes into the memory too. With no map, all of that is one comparison.
 *
 * @module
 */
import { MAP_SHARED, PROT_WRITE, SEEK_END } from "../abi/flags.ts";
import { ErrnoError } from "../abi/errno.ts";
import { type FSNode, FSStream } from "../abi/node.ts";
import { inodeKey } from "./name_table.ts";

/** Bytes of a page: where maps may start. */
export const PAGE_SIZE = 4096;
/** Address space that one inode's shared memory may grow into. */
const RESERVED_BYTES = 2 ** 28;
/** The piece in which memory and file are compared. */
const PIECE_BYTES = 65536;

/** Memory of a program: zeroed bytes at `ptr` of the heap as it is now. */
export type HeapAllocator = (sizeBytes: number) => { ptr: number; heap: Uint8Array };

/** One map of one file. */
export interface FileMap {
  /** Where it starts in the program's heap; 0 without an allocator. */
  readonly ptr: number;
  /** Whether memory was taken for it. */
  readonly allocated: boolean;
  /** The mapped bytes; with an allocator they hold until the heap grows. */
  readonly bytes: Uint8Array;
}

/** What is kept of a map. */
interface Mapping extends FileMap {
  /** Holds the inode, whatever happens to the descriptor. */
  readonly stream: FSStream;
  readonly position: number;
  readonly isShared: boolean;
  readonly isWritable: boolean;
}

/** How a map is asked for. */
export interface MapRequest {
  /** Bytes. */
  length: number;
  /** Where in the file. */
  position: number;
  /** PROT_READ, PROT_WRITE. */
  prot: number;
  /** MAP_SHARED or MAP_PRIVATE. */
  flags: number;
}

/** Memory of one inode, from its first byte on. */
interface SharedMemory {
  buffer: ArrayBuffer;
  /** Pages that hold what the file held. */
  loaded: Set<number>;
}

/** The maps of one instance. */
export class FileMaps {
  /** How many inodes are mapped. A plain field: every read and write looks at it. */
  size = 0;
  readonly #allocate: HeapAllocator | undefined;
  readonly #maps = new Map<string, Mapping[]>();
  readonly #memories = new Map<string, SharedMemory>();

  /** Maps in the heap that `allocate` takes from, or in buffers of their own. */
  constructor(allocate?: HeapAllocator) {
    this.#allocate = allocate;
  }

  /** Maps a part of an open file. ENOMEM. */
  map(open: FSStream, request: MapRequest): FileMap {
    const stream = held(open);
    try {
      const mapping = this.#make(stream, request);
      const key = inodeKey(stream.node);
      this.#maps.set(key, [...this.#maps.get(key) ?? [], mapping]);
      this.size = this.#maps.size;
      return mapping;
    } catch (error) {
      stream.stream_ops.close?.(stream);
      throw error;
    }
  }

  #make(stream: FSStream, { length, position, prot, flags }: MapRequest): Mapping {
    const isShared = (flags & MAP_SHARED) !== 0;
    const common = { stream, position, isShared, isWritable: (prot & PROT_WRITE) !== 0 };
    if (this.#allocate === undefined && isShared) {
      const bytes = this.#shared(stream, position, length);
      return { ...common, ptr: 0, allocated: false, bytes };
    }
    this.publish(stream.node);
    const { ptr, bytes } = this.#allocated(length);
    fill(stream, bytes, position);
    return { ...common, ptr, allocated: true, bytes };
  }

  /** Memory of the program, or of our own. ENOMEM for whatever the allocator does instead. */
  #allocated(length: number): { ptr: number; bytes: Uint8Array } {
    if (this.#allocate === undefined) return { ptr: 0, bytes: ownBytes(length) };
    const action = `map ${length} bytes`;
    try {
      const { ptr, heap } = this.#allocate(length);
      const bytes = heap.subarray(ptr, ptr + length);
      if (bytes.length === length) return { ptr, bytes };
    } catch (cause) {
      throw new ErrnoError("ENOMEM", action, { cause });
    }
    throw new ErrnoError("ENOMEM", action);
  }

  /** A view of the inode's one memory, with the pages loaded. */
  #shared(stream: FSStream, position: number, length: number): Uint8Array {
    const memory = this.#memory(stream.node, position + length);
    const last = Math.ceil((position + length) / PAGE_SIZE);
    for (let page = Math.floor(position / PAGE_SIZE); page < last; page++) {
      if (memory.loaded.has(page)) continue;
      memory.loaded.add(page);
      fill(stream, new Uint8Array(memory.buffer, page * PAGE_SIZE, PAGE_SIZE), page * PAGE_SIZE);
    }
    return new Uint8Array(memory.buffer, position, length);
  }

  #memory(node: FSNode, end: number): SharedMemory {
    const key = inodeKey(node);
    const size = Math.ceil(end / PAGE_SIZE) * PAGE_SIZE;
    try {
      const memory = this.#memories.get(key) ?? {
        buffer: new ArrayBuffer(size, { maxByteLength: Math.max(size, RESERVED_BYTES) }),
        loaded: new Set(),
      };
      if (memory.buffer.byteLength < size) memory.buffer.resize(size);
      this.#memories.set(key, memory);
      return memory;
    } catch (cause) {
      throw new ErrnoError("ENOMEM", `map up to byte ${end}`, { cause });
    }
  }

  /** Ends a map: what was stored goes to the file. False if it is not one of ours. */
  unmap(map: FileMap | number): boolean {
    for (const [key, mappings] of this.#maps) {
      const index = mappings.findIndex((mapping) => mapping === map || mapping.ptr === map);
      const mapping = mappings[index];
      if (mapping === undefined) continue;
      this.#writeBack(mapping);
      mappings.splice(index, 1);
      if (mappings.length === 0) {
        this.#maps.delete(key);
        this.#memories.delete(key);
        this.size = this.#maps.size;
      }
      mapping.stream.stream_ops.close?.(mapping.stream);
      return true;
    }
    return false;
  }

  /** Brings the file up to what was stored into its shared memory. */
  publish(node: FSNode): void {
    if (this.#allocate !== undefined) return;
    for (const mapping of this.#maps.get(inodeKey(node)) ?? []) this.#writeBack(mapping);
  }

  #writeBack({ isShared, isWritable, stream, bytes, position }: Mapping): void {
    if (isShared && isWritable) writeDifference(stream, bytes, position);
  }

  /** Brings the shared memory up to what was written to the file. */
  wrote(node: FSNode, bytes: Uint8Array, position: number): void {
    const memory = this.#memories.get(inodeKey(node));
    if (memory === undefined || position >= memory.buffer.byteLength) return;
    const room = memory.buffer.byteLength - position;
    new Uint8Array(memory.buffer).set(bytes.subarray(0, room), position);
  }

  /** Brings the shared memory up to a range that reads as zeros now, however long. */
  zeroed(node: FSNode, position: number, length: number): void {
    const memory = this.#memories.get(inodeKey(node));
    if (memory !== undefined) new Uint8Array(memory.buffer).fill(0, position, position + length);
  }

  /** Bytes past the end of a file that was cut read as zeros when it grows again. */
  cut(node: FSNode, sizeBytes: number): void {
    const memory = this.#memories.get(inodeKey(node));
    if (memory !== undefined) new Uint8Array(memory.buffer).fill(0, sizeBytes);
  }
}

function ownBytes(length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new ErrnoError("ENOMEM", `map ${length} bytes`, { cause });
  }
}

/** A stream of our own over the same inode, which no close takes away. */
function held(open: FSStream): FSStream {
  const stream = new FSStream(open.node, { ...open.shared, descriptors: 1 }, open.path);
  stream.stream_ops = open.stream_ops;
  stream.stream_ops.open?.(stream);
  return stream;
}

/** Reads the file into memory; what is past its end stays zero. */
function fill(stream: FSStream, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    const length = bytes.length - done;
    const count = stream.stream_ops.read?.(stream, bytes, done, length, position + done) ?? 0;
    if (count === 0) return;
    done += count;
  }
}

/**
 * Writes the pieces of memory that the file does not hold; nothing past its end.
 *
 * @throws {ErrnoError} ENOSPC when not all of them have found room, and what the backend throws
 */
export function writeDifference(stream: FSStream, bytes: Uint8Array, position: number): void {
  const size = stream.stream_ops.llseek?.(stream, 0, SEEK_END) ?? 0;
  const end = Math.min(bytes.length, size - position);
  const piece = new Uint8Array(PIECE_BYTES);
  for (let done = 0; done < end; done += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, end - done);
    fill(stream, piece.subarray(0, length), position + done);
    if (isSame(piece, bytes, done, length)) continue;
    writeAll(stream, bytes.subarray(done, done + length), position + done);
  }
}

/** A short count says that the device is full; who gets no count must not take it for all. */
function writeAll(stream: FSStream, bytes: Uint8Array, position: number): void {
  const { write } = stream.stream_ops;
  if (write === undefined) return;
  for (let done = 0; done < bytes.length;) {
    const count = write(stream, bytes, done, bytes.length - done, position + done);
    if (!(count > 0)) throw new ErrnoError("ENOSPC", `write a map of "${stream.path}" back`);
    done += count;
  }
}

function isSame(piece: Uint8Array, bytes: Uint8Array, from: number, length: number): boolean {
  for (let index = 0; index < length; index++) {
    if (piece[index] !== bytes[from + index]) return false;
  }
  return true;
}
