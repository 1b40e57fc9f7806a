/**
 * Open files of a volume inside a stock Emscripten module.
 *
 * Layer: adapters. One table per mount, made by `streamOps`; nothing uses `this`, because newer
 * modules take an operation off its table before they call it. The module owns descriptors and
 * positions; here are the bytes, and `retain` and `release`, so that an unlinked file lives until
 * its last descriptor is closed.
 *
 * @module
 */
import {
  ErrnoError,
  type Ino,
  isChrdev,
  MAP_PRIVATE,
  O_APPEND,
  O_DSYNC,
  PROT_WRITE,
  S_IFREG,
  SEEK_CUR,
  SEEK_END,
  type VolumeOps,
} from "../../mod.ts";
import {
  type EmscriptenFS,
  type EmscriptenMap,
  type EmscriptenStream,
  guard,
  hostError,
  makeError,
  type MemoryType,
} from "./host.ts";
import { SharedMaps } from "./maps.ts";
import type { VolumeNode } from "./volume_node.ts";

/** What the descriptors that dup made share. The module copies it from stream to stream. */
interface Description {
  readonly ino: Ino;
  /** What was mapped through it and shared, or null. */
  maps: SharedMaps | null;
}

/** A stream of ours. */
interface VolumeStream extends EmscriptenStream {
  node: VolumeNode;
  description: Description;
}

/** Bytes of any kind: the module's heap is an Int8Array, its old helpers pass plain arrays. */
type Bytes = ArrayBufferView | ArrayLike<number>;

/** The module's memory, or null if the module does not show it. */
export type Heap = () => Uint8Array | null;

/** The bytes that a call is about, where they are. */
function view(buffer: ArrayBufferView, offset: number, length: number): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length);
}

/** How many bytes a write may make up: a length that is no length asks for more. */
const PADDING_MAX = 2 ** 24;

/** The same for a write: what the buffer does not have is zero, as in the module's own files. */
function viewToWrite(buffer: Bytes, offset: number, length: number): Uint8Array {
  if (!ArrayBuffer.isView(buffer)) {
    return Uint8Array.from({ length }, (_, index) => buffer[offset + index] ?? 0);
  }
  const has = Math.max(0, Math.min(length, buffer.byteLength - offset));
  if (length - has > PADDING_MAX) throw new ErrnoError("EINVAL", `write ${length} bytes`);
  const bytes = view(buffer, Math.min(offset, buffer.byteLength), has);
  if (has === length) return bytes;
  const padded = new Uint8Array(length);
  padded.set(bytes);
  return padded;
}

function writeAll(volume: VolumeOps, ino: Ino, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) {
    const count = volume.write(ino, bytes.subarray(done), at + done);
    if (count === 0) throw new ErrnoError("ENOSPC", `write at byte ${at + done}`);
    done += count;
  }
}

function readAll(volume: VolumeOps, ino: Ino, into: Uint8Array, at: number): number {
  let done = 0;
  while (done < into.length) {
    const count = volume.read(ino, into.subarray(done), at + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/**
 * The module has already moved the stream to what it took for the end; the volume finds the end at
 * the moment of the write. A positional write goes to the end as well, as on Linux.
 */
function append(volume: VolumeOps, stream: VolumeStream, bytes: Uint8Array, at: number): number {
  const appended = volume.append(stream.description.ino, bytes);
  if (at === stream.position) stream.position = appended.at;
  return appended.count;
}

/** Operation tables by kind of node. */
export interface StreamOpTables {
  /** Of a regular file. */
  readonly file: object;
  /** Of a directory: getdents keeps its place by seeking. */
  readonly directory: object;
  /** Of a device or another special file. */
  readonly special: object;
}

/** What the files of a volume can do once they are open in a module. */
export function streamOps(FS: EmscriptenFS, volume: VolumeOps, heap: Heap): StreamOpTables {
  const directory = {
    open: (stream: VolumeStream): void => open(FS, volume, stream),
    close: guard(FS, (stream: VolumeStream): void => close(FS, volume, stream)),
    llseek: guard(FS, (stream: VolumeStream, offset: number, whence: number): number => {
      const position = offset + seekFrom(volume, stream, whence);
      if (position < 0) throw new ErrnoError("EINVAL", `seek to ${position}`);
      return position;
    }),
    fsync: guard(FS, (stream: VolumeStream): number => {
      volume.fsync(stream.description.ino);
      return 0;
    }),
  };
  const special = { open: (stream: EmscriptenStream): void => openSpecial(FS, stream) };
  return { file: { ...directory, ...byteOps(FS, volume, heap) }, directory, special };
}

function byteOps(FS: EmscriptenFS, volume: VolumeOps, heap: Heap): object {
  return {
    read(stream: VolumeStream, to: Bytes, offset: number, length: number, at: number): number {
      try {
        if (!ArrayBuffer.isView(to)) throw new ErrnoError("EINVAL", "read into a plain array");
        return volume.read(stream.description.ino, view(to, offset, length), at);
      } catch (error) {
        throw hostError(FS, error);
      }
    },
    write(stream: VolumeStream, from: Bytes, offset: number, length: number, at: number): number {
      try {
        return write(volume, stream, viewToWrite(from, offset, length), at);
      } catch (error) {
        throw hostError(FS, error);
      }
    },
    allocate: guard(FS, (stream: VolumeStream, offset: number, length: number): void => {
      volume.allocate(stream.description.ino, 0, offset, length);
    }),
    mmap: guard(FS, (stream: VolumeStream, ...rest: number[]): EmscriptenMap => {
      return map(FS, volume, stream, rest);
    }),
    msync: guard(
      FS,
      (stream: VolumeStream, ...rest: [ArrayBufferView, number, number, number]): number => {
        return msync({ volume, heap }, stream, ...rest);
      },
    ),
  };
}

/** The module has given out the descriptor before it asks: a refusal has to take it back. */
function open(FS: EmscriptenFS, volume: VolumeOps, stream: VolumeStream): void {
  try {
    const { ino } = stream.node.entry;
    volume.retain(ino);
    stream.description = { ino, maps: null };
  } catch (error) {
    if (stream.fd !== null) FS.closeStream(stream.fd);
    throw hostError(FS, error);
  }
}

/** A device finds the module's driver; other special files, and devices without one, do not open. */
function openSpecial(FS: EmscriptenFS, stream: EmscriptenStream): void {
  const { mode, rdev } = stream.node;
  if (isChrdev(mode) && FS.getDevice(rdev) !== undefined) {
    return FS.chrdev_stream_ops.open(stream);
  }
  if (stream.fd !== null) FS.closeStream(stream.fd);
  throw makeError(FS, "ENXIO", "no driver for this special file");
}

/** Some releases close once per descriptor without telling of dup: the last one is looked for. */
function close(FS: EmscriptenFS, volume: VolumeOps, stream: VolumeStream): void {
  const { description } = stream;
  for (const other of FS.streams) {
    if (!other || other === stream) continue;
    if ((other as VolumeStream).description === description) return;
  }
  volume.release(description.ino);
}

function write(volume: VolumeOps, stream: VolumeStream, bytes: Uint8Array, at: number): number {
  if (bytes.length === 0) return 0;
  const count = (stream.flags & O_APPEND) !== 0
    ? append(volume, stream, bytes, at)
    : volume.write(stream.description.ino, bytes, at);
  if ((stream.flags & O_DSYNC) !== 0) volume.fsync(stream.description.ino);
  return count;
}

function seekFrom(volume: VolumeOps, stream: VolumeStream, whence: number): number {
  if (whence === SEEK_CUR) return stream.position;
  if (whence === SEEK_END) return volume.getattr(stream.node.entry.ino).size;
  return 0;
}

function memoryOps(FS: EmscriptenFS): MemoryType["stream_ops"] {
  const ops = (FS.filesystems?.MEMFS ?? FS.root.mount.type)?.stream_ops;
  if (ops?.mmap === undefined) {
    throw new ErrnoError("ENODEV", "mmap", { why: "this module has no MEMFS" });
  }
  return ops;
}

/**
 * MEMFS knows the module's allocator and we do not: it maps a stand-in that holds the range.
 * `rest` is `[address,] length, position, prot, flags`; the address went with release 3.1.22 or so.
 */
function map(
  FS: EmscriptenFS,
  volume: VolumeOps,
  stream: VolumeStream,
  rest: number[],
): EmscriptenMap {
  const first = rest.length === 5 ? 1 : 0;
  const length = rest[first] ?? 0;
  const position = rest[first + 1] ?? 0;
  const contents = new Uint8Array(length);
  readAll(volume, stream.description.ino, contents, position);
  const node = { mode: S_IFREG | 0o666, contents, usedBytes: length };
  const standIn = { node, flags: stream.flags, position: 0 };
  const args = rest.with(first + 1, 0);
  const result = memoryOps(FS).mmap(standIn, ...args);
  const [prot = 0, flags = 0] = rest.slice(first + 2);
  if ((flags & MAP_PRIVATE) === 0) {
    const maps = stream.description.maps ??= new SharedMaps(first === 1);
    maps.add({ ptr: result.ptr, length, position, isWritable: (prot & PROT_WRITE) !== 0 });
  }
  return result;
}

/**
 * Writes a shared map back, never past the end of the file. A stream through which nothing was
 * mapped is another file that got the descriptor of a closed one: its bytes are left alone.
 */
function msync(
  { volume, heap }: { volume: VolumeOps; heap: Heap },
  stream: VolumeStream,
  ...[buffer, position, length, flags]: [ArrayBufferView, number, number, number]
): number {
  const { ino, maps } = stream.description;
  if ((flags & MAP_PRIVATE) !== 0 || maps === null) return 0;
  const bytes = view(buffer, 0, length);
  const { size } = volume.getattr(ino);
  const inside = (at: number) => bytes.subarray(0, Math.max(0, Math.min(length, size - at)));
  const isInFile = (at: number) => {
    const there = new Uint8Array(inside(at).length);
    readAll(volume, ino, there, at);
    return there.every((byte, index) => byte === bytes[index]);
  };
  for (const at of maps.positionsOf({ bytes, position, heap: heap(), isInFile })) {
    writeAll(volume, ino, inside(at), at);
  }
  return 0;
}
