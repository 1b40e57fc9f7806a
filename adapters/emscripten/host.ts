/**
 * The other side: what of a stock Emscripten module's FS object the type touches, and its errors.
 *
 * Layer: adapters. Shapes only, written from what 3.1.6 and the newest release have in common; where
 * they differ, the member says so. A module's FS is plain JavaScript, so these types are a promise
 * about what we use, not a check of what is there.
 *
 * @module
 */
import { Errno, type ErrnoCode, isErrnoError, messageOf } from "../../mod.ts";

/** An error of a module: each module has a class of its own. */
export interface EmscriptenError {
  /** `"ErrnoError"` since the classes were given a name; we set it for the older ones. */
  name?: string;
  /** The error's number. */
  errno: number;
  /** What went wrong. */
  message?: string;
  /** Our own error, where there is one. */
  cause?: unknown;
}

/** One name in a module's name table. */
export interface EmscriptenNode {
  /** Inode number; readdir shows it, and it is part of the hash of the children's names. */
  id: number;
  /** The name in its directory. */
  name: string;
  /** File type and permission bits; the module's own permission checks read it. */
  mode: number;
  /** Device number of a device. */
  rdev: number;
  /** The directory; a root is its own. */
  parent: EmscriptenNode;
  /** The mount that it belongs to. */
  mount: EmscriptenMount;
  /** What can be done with it as a name. */
  node_ops: object;
  /** What can be done with it as an open file. */
  stream_ops: object;
}

/** A mount in a module. */
export interface EmscriptenMount {
  /** The third argument of FS.mount. */
  mountpoint: string;
  /** The second argument of FS.mount. */
  opts: unknown;
}

/** One descriptor of a module. */
export interface EmscriptenStream {
  /** The descriptor, or null once it is closed. */
  fd: number | null;
  /** The open node. */
  node: EmscriptenNode;
  /** Open flags. */
  flags: number;
  /** Where the next read or write goes. */
  position: number;
}

/** The answer to mmap: where in the module's memory the bytes are. */
export interface EmscriptenMap {
  /** Address, aligned to 64 KiB. */
  ptr: number;
  /** Whether it is to be freed by munmap. */
  allocated: boolean;
}

/** The module's own MEMFS: the only one who knows its allocator. */
export interface MemoryType {
  /** Operations on open files. */
  stream_ops: {
    /** Copies a file's contents into the module's memory. */
    mmap(...args: unknown[]): EmscriptenMap;
  };
}

/** The part of a module's FS object that the type uses. */
export interface EmscriptenFS {
  /** The module's own error class: it recognises no other. */
  ErrnoError: new (errno: number) => EmscriptenError;
  /** Makes a node that is not in the name table yet. */
  FSNode: new (
    parent: EmscriptenNode | null,
    name: string,
    mode: number,
    rdev: number,
  ) => EmscriptenNode;
  /** Open descriptors by number, with gaps. */
  streams: (EmscriptenStream | null | undefined)[];
  /** What opening a character device does. */
  chrdev_stream_ops: { open(stream: EmscriptenStream): void };
  /** Types that were linked in, MEMFS among them; newest releases leave it out. */
  filesystems?: { MEMFS?: MemoryType } | null;
  /** The root directory; its mount is the module's MEMFS unless the program put another one there. */
  root: { mount: { type?: Partial<MemoryType> } };
  /** Puts a node into the name table. */
  hashAddNode(node: EmscriptenNode): void;
  /** Takes it out; nothing happens if it is not there. */
  hashRemoveNode(node: EmscriptenNode): void;
  /** The driver of a device number. */
  getDevice(rdev: number): unknown;
  /** Frees a descriptor. */
  closeStream(fd: number): void;
  /** Walks a path. */
  lookupPath(path: string, options: { follow: boolean }): { node: EmscriptenNode };
  /** Makes a directory and those above it. */
  mkdirTree(path: string): void;
  /** Mounts a type. */
  mount(type: EmscriptenType, options: unknown, mountpoint: string): EmscriptenNode;
  /** Sets times; its text shows which spelling of setattr the module sends. */
  utime(path: string, atimeMs: number, mtimeMs: number): void;
}

/** A filesystem type, as `FS.mount` of a module takes it. */
export interface EmscriptenType {
  /** Makes the root of a new mount. */
  mount(mount: EmscriptenMount): EmscriptenNode;
  /** Makes everything durable; `populate` asks for the other direction, which has nothing to do. */
  syncfs(
    mount: EmscriptenMount,
    populate: boolean,
    callback: (error: EmscriptenError | null) => void,
  ): void;
}

/** The number under which the module hears of `error`: it never sees anything but an errno. */
function errnoOf(error: unknown): number {
  if (isErrnoError(error)) return error.errno;
  return error instanceof RangeError ? Errno.EINVAL : Errno.EIO;
}

/** A new error of the module's own class, with the name that newer releases look for. */
export function makeError(FS: EmscriptenFS, code: ErrnoCode, message?: string): EmscriptenError {
  return fill(new FS.ErrnoError(Errno[code]), message ?? code);
}

function fill(made: EmscriptenError, message: string): EmscriptenError {
  if (made.name !== "ErrnoError") made.name = "ErrnoError";
  made.message = message;
  return made;
}

/**
 * Whatever was thrown, as an error of the module's own class. Anything else would end the program,
 * because the module's system calls pass on what they do not recognise.
 */
export function hostError(FS: EmscriptenFS, error: unknown): EmscriptenError {
  if (error instanceof FS.ErrnoError) return error;
  const made = fill(new FS.ErrnoError(errnoOf(error)), messageOf(error));
  made.cause = error;
  return made;
}

/** The same operation, failing only with errors of the module's class. */
export function guard<A extends unknown[], R>(
  FS: EmscriptenFS,
  operation: (...args: A) => R,
): (...args: A) => R {
  return (...args) => {
    try {
      return operation(...args);
    } catch (error) {
      throw hostError(FS, error);
    }
  };
}
