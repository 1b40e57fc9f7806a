/**
 * What `node:fs` cannot do with a host file: times to the nanosecond, holes, extended attributes,
 * FIFOs, sockets and devices.
 *
 * Layer: cli, bottom. Linux's C library through Deno's FFI. `LinuxCalls.load()` answers null where
 * it is missing, and the caller does without. Links are never followed. A failure is an ErrnoError.
 *
 * @module
 */
import { codeOfLinux } from "../../adapters/fuse/errno.ts";
import { type Attr, ErrnoError } from "../../mod.ts";
import { deviceNumber } from "./devices.ts";

const SYMBOLS = {
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  utimensat: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  mknod: { parameters: ["buffer", "u32", "u64"], result: "i32" },
  llistxattr: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  lgetxattr: { parameters: ["buffer", "buffer", "buffer", "usize"], result: "isize" },
  lsetxattr: { parameters: ["buffer", "buffer", "buffer", "usize", "i32"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const STATX_BASIC_STATS = 0x7ff;
const O_NONBLOCK_CLOEXEC = 0o2004000;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** The kernel's own bound, for one value and for all names of a file. */
const XATTR_BYTES_MAX = 65536;

/** struct statx. */
const STATX = {
  BLOCKS: 0x30,
  NLINK: 0x10,
  UID: 0x14,
  GID: 0x18,
  MODE: 0x1c,
  INO: 0x20,
  SIZE: 0x28,
  ATIME: 0x40,
  CTIME: 0x60,
  MTIME: 0x70,
  RDEV: 0x80,
  DEV: 0x88,
  BYTES: 0x100,
} as const;

/** Attributes of a host file, and what is only its own among all files of the host. */
export interface HostFile {
  /** The attributes. */
  attr: Attr;
  /** Device and inode. */
  key: string;
}

/** A host file whose holes can be asked for. */
export interface Holes {
  /**
   * The first byte of data at or after `at`; -1 if only a hole follows, null if that is not known.
   */
  dataAt(at: number): number | null;
  /** The first byte at or after `at` that is not data. */
  holeAt(at: number): number;
  /** Lets the file go. */
  close(): void;
}

/** The C library. */
export class LinuxCalls {
  readonly #symbols: Symbols;
  readonly #errno: Deno.UnsafePointerView;
  readonly #buffer = new Uint8Array(XATTR_BYTES_MAX);

  private constructor(symbols: Symbols, errno: Deno.PointerObject) {
    this.#symbols = symbols;
    this.#errno = new Deno.UnsafePointerView(errno);
  }

  /** The C library of this process; null if it has none that we know, or we may not use it. */
  static load(): LinuxCalls | null {
    if (!("Deno" in globalThis) || Deno.build.os !== "linux") return null;
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return null;
    try {
      const { symbols } = Deno.dlopen("libc.so.6", SYMBOLS);
      const place = symbols.__errno_location();
      return place === null ? null : new LinuxCalls(symbols, place);
    } catch {
      return null; // Another C library, or one without these calls.
    }
  }

  /** The attributes of what has this name. */
  stat(path: string): HostFile {
    const bytes = new Uint8Array(STATX.BYTES);
    const status = this.#symbols.statx(
      AT_FDCWD,
      cString(path),
      AT_SYMLINK_NOFOLLOW,
      STATX_BASIC_STATS,
      bytes,
    );
    this.#check(status, `stat "${path}"`);
    return decodeStatx(new DataView(bytes.buffer));
  }

  /** Sets both times. */
  setTimes(path: string, { atime, mtime }: Pick<Attr, "atime" | "mtime">): void {
    const words = new BigInt64Array([...timespec(atime), ...timespec(mtime)]);
    const bytes = new Uint8Array(words.buffer);
    const { utimensat } = this.#symbols;
    const status = utimensat(AT_FDCWD, cString(path), bytes, AT_SYMLINK_NOFOLLOW);
    this.#check(status, `set the times of "${path}"`);
  }

  /** Makes a FIFO, a socket or a device. */
  makeNode(path: string, { mode, rdev }: Pick<Attr, "mode" | "rdev">): void {
    this.#check(this.#symbols.mknod(cString(path), mode, BigInt(rdev)), `make "${path}"`);
  }

  /** Names of the extended attributes; none where the filesystem has no such thing. */
  xattrNames(path: string): string[] {
    const room = BigInt(this.#buffer.length);
    const length = Number(this.#symbols.llistxattr(cString(path), this.#buffer, room));
    if (length < 0 && this.#code() === "ENOTSUP") return [];
    this.#check(length, `list the attributes of "${path}"`);
    const names = new TextDecoder().decode(this.#buffer.subarray(0, length));
    return names.split("\0").filter((name) => name !== "");
  }

  /** The value of an extended attribute; null if it is gone. */
  xattr(path: string, name: string): Uint8Array | null {
    const { lgetxattr } = this.#symbols;
    const room = BigInt(this.#buffer.length);
    const length = Number(lgetxattr(cString(path), cString(name), this.#buffer, room));
    if (length < 0 && this.#code() === "ENODATA") return null;
    this.#check(length, `read the attribute "${name}"`);
    return this.#buffer.slice(0, length);
  }

  /** Sets an extended attribute. */
  setXattr(path: string, name: string, value: Uint8Array): void {
    const bytes = new Uint8Array(value);
    const length = BigInt(bytes.length);
    const { lsetxattr } = this.#symbols;
    const status = lsetxattr(cString(path), cString(name), bytes, length, 0);
    this.#check(status, `set the attribute "${name}"`);
  }

  /** Opens a file to ask where its holes are. */
  holesOf(path: string): Holes {
    const { open, close } = this.#symbols;
    const fd = open(cString(path), O_NONBLOCK_CLOEXEC);
    this.#check(fd, `open "${path}"`);
    return {
      dataAt: (at) => this.#dataAt(fd, at),
      holeAt: (at) => this.#seek(fd, at, SEEK_HOLE),
      close: () => void close(fd),
    };
  }

  #dataAt(fd: number, at: number): number | null {
    const place = this.#seek(fd, at, SEEK_DATA);
    if (place >= 0) return place;
    // Filesystems like /proc know nothing of holes.
    return this.#code() === "ENXIO" ? -1 : null;
  }

  #seek(fd: number, at: number, whence: number): number {
    return Number(this.#symbols.lseek(fd, BigInt(at), whence));
  }

  #code(): string {
    return codeOfLinux(this.#errno.getInt32());
  }

  #check(status: number, action: string): void {
    if (status < 0) throw new ErrnoError(codeOfLinux(this.#errno.getInt32()), action);
  }
}

/** What statx has written. */
export function decodeStatx(view: DataView): HostFile {
  const u32 = (at: number): number => view.getUint32(at, true);
  const u64 = (at: number): number => Number(view.getBigUint64(at, true));
  const timeAt = (at: number): number =>
    Number(view.getBigInt64(at, true)) * 1000 + u32(at + 8) / 1e6;
  const ino = u64(STATX.INO);
  // Overlays use the upper bits of inode numbers: as doubles two files would be one.
  const exact = view.getBigUint64(STATX.INO, true);
  return {
    key: `${u32(STATX.DEV)}:${u32(STATX.DEV + 4)}:${exact}`,
    attr: {
      ino,
      mode: view.getUint16(STATX.MODE, true),
      nlink: u32(STATX.NLINK),
      uid: u32(STATX.UID),
      gid: u32(STATX.GID),
      rdev: deviceNumber({ major: u32(STATX.RDEV), minor: u32(STATX.RDEV + 4) }),
      size: u64(STATX.SIZE),
      blocks: u64(STATX.BLOCKS),
      atime: timeAt(STATX.ATIME),
      mtime: timeAt(STATX.MTIME),
      ctime: timeAt(STATX.CTIME),
    },
  };
}

/** Linux's own 32 bits for a device: the minor number around twelve bits of the major one. */

/** Seconds and nanoseconds. */
function timespec(timeMs: number): [bigint, bigint] {
  const seconds = Math.floor(timeMs / 1000);
  const nanoseconds = Math.round((timeMs - seconds * 1000) * 1e6);
  return [BigInt(seconds), BigInt(Math.min(nanoseconds, 999_999_999))];
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new ErrnoError("EINVAL", `use "${text}", which has a NUL in it`);
  return new TextEncoder().encode(`${text}\0`);
}
