/**
 * The C library's calls that a mount needs, through Deno's FFI: no other file of adapters/ has any.
 *
 * Layer: adapters/fuse. Linux on 64-bit little-endian machines with glibc, under Deno. Use:
 * `const libc = new Libc()`; one for each thread, because the error number of a failed call belongs
 * to the thread. What can fail throws an ErrnoError, except `read` and `write` of the serving loop,
 * which answer minus the error number.
 *
 * @module
 */
import { type ErrnoCode, ErrnoError, type Owner } from "../../mod.ts";
import { codeOfLinux } from "./errno.ts";

const O_RDWR = 2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const MSG_NOSIGNAL = 0x4000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const POLLIN = 1;
const MNT_DETACH = 2;

/** Mount flag: every change is EROFS. */
export const MS_RDONLY = 1;
/** Mount flag: setuid and setgid mean nothing when a program is started. */
export const MS_NOSUID = 2;
/** Mount flag: devices cannot be opened. */
export const MS_NODEV = 4;

const SYMBOLS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32" },
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  geteuid: { parameters: [], result: "u32" },
  getegid: { parameters: [], result: "u32" },
  mount: { parameters: ["buffer", "buffer", "buffer", "usize", "buffer"], result: "i32" },
  umount2: { parameters: ["buffer", "i32"], result: "i32", nonblocking: true },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  sendto: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"],
    result: "isize",
  },
  statvfs: { parameters: ["buffer", "buffer"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The arguments of `mount`. */
export interface MountArguments {
  /** What `df` shows as the device. */
  source: string;
  /** The directory, absolute. */
  target: string;
  /** The kind of filesystem. */
  type: string;
  /** MS_* */
  flags: number;
  /** The filesystem's own options. */
  data: string;
}

/** The C library as one thread sees it. */
export class Libc {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #errno: Deno.UnsafePointerView;

  /**
   * Loads the C library.
   *
   * @throws {ErrnoError} ENOTSUP where there is no such thing
   */
  constructor() {
    if (Deno.build.os !== "linux") {
      throw new ErrnoError("ENOTSUP", "mount", { why: "this is not Linux" });
    }
    this.#library = Deno.dlopen("libc.so.6", SYMBOLS);
    const place = this.#library.symbols.__errno_location();
    if (place === null) {
      throw new ErrnoError("ENOTSUP", "mount", { why: "the C library hides its errors" });
    }
    this.#errno = new Deno.UnsafePointerView(place);
  }

  /** Whose process this is. */
  get owner(): Owner {
    const { geteuid, getegid } = this.#library.symbols;
    return { uid: geteuid(), gid: getegid() };
  }

  /** Whether this process may mount by itself. */
  get isRoot(): boolean {
    return this.owner.uid === 0;
  }

  /** A connection to the kernel, without blocking. ENOENT where the kernel has no FUSE. */
  openFuse(): number {
    const path = bytesOf("/dev/fuse");
    const fd = this.#library.symbols.open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return this.#checked(fd, 'open "/dev/fuse"');
  }

  /** Closes a descriptor. */
  close(fd: number): void {
    this.#library.symbols.close(fd);
  }

  /** Bytes read, or minus one of Linux's error numbers. */
  read(fd: number, into: Uint8Array<ArrayBuffer>): number {
    const count = this.#library.symbols.read(fd, into, BigInt(into.length));
    return count < 0 ? -this.#errno.getInt32() : count;
  }

  /** Bytes written of the first `length`, or minus one of Linux's error numbers. */
  write(fd: number, from: Uint8Array<ArrayBuffer>, length: number): number {
    const count = this.#library.symbols.write(fd, from, BigInt(length));
    return count < 0 ? -this.#errno.getInt32() : count;
  }

  /**
   * Waits up to `timeoutMs`, or for ever with -1, until one of the descriptors has something to
   * read or is broken; says which.
   */
  poll(fds: readonly number[], timeoutMs: number): boolean[] {
    const view = new DataView(new ArrayBuffer(fds.length * 8));
    fds.forEach((fd, index) => {
      view.setInt32(index * 8, fd, true);
      view.setInt16(index * 8 + 4, POLLIN, true);
    });
    this.#library.symbols.poll(new Uint8Array(view.buffer), BigInt(fds.length), timeoutMs);
    return fds.map((_, index) => view.getInt16(index * 8 + 6, true) !== 0);
  }

  /** A pipe: the end to read, the end to write. */
  pipe(): [number, number] {
    const pair = new Int32Array(2);
    const status = this.#library.symbols.pipe2(new Uint8Array(pair.buffer), O_CLOEXEC);
    this.#checked(status, "make a pipe");
    return [pair[0]!, pair[1]!];
  }

  /** mount(2). EPERM, EBUSY, ENOENT, ENOTDIR, EINVAL. */
  mount({ source, target, type, flags, data }: MountArguments): void {
    const status = this.#library.symbols.mount(
      bytesOf(source),
      bytesOf(target),
      bytesOf(type),
      BigInt(flags),
      bytesOf(data),
    );
    this.#checked(status, `mount on "${target}"`);
  }

  /**
   * umount2(2), off this thread, because what it waits for may be ours to serve. False: it was
   * refused, and why is not known here.
   */
  async unmount(target: string, options: { lazily: boolean }): Promise<boolean> {
    const flags = options.lazily ? MNT_DETACH : 0;
    return await this.#library.symbols.umount2(bytesOf(target), flags) === 0;
  }

  /** Two connected sockets, both of which a program that we start inherits. */
  socketPair(): [number, number] {
    const pair = new Int32Array(2);
    const bytes = new Uint8Array(pair.buffer);
    const status = this.#library.symbols.socketpair(AF_UNIX, SOCK_STREAM, 0, bytes);
    this.#checked(status, "make a pair of sockets");
    return [pair[0]!, pair[1]!];
  }

  /**
   * The descriptor that another process sends through a socket.
   *
   * @throws {ErrnoError} EPROTO if none came
   */
  receiveDescriptor(socket: number): number {
    const byte = new Uint8Array(1);
    const vector = new BigUint64Array([addressOf(byte), 1n]);
    const control = new Uint8Array(CONTROL.BYTES);
    const message = new Uint8Array(MESSAGE.BYTES);
    const view = new DataView(message.buffer);
    view.setBigUint64(MESSAGE.VECTORS, addressOf(new Uint8Array(vector.buffer)), true);
    view.setBigUint64(MESSAGE.VECTOR_COUNT, 1n, true);
    view.setBigUint64(MESSAGE.CONTROL, addressOf(control), true);
    view.setBigUint64(MESSAGE.CONTROL_BYTES, BigInt(control.length), true);
    const count = this.#library.symbols.recvmsg(socket, message, 0);
    this.#checked(count, "receive a descriptor");
    const words = new DataView(control.buffer);
    const isDescriptor = count > 0 && words.getInt32(CONTROL.LEVEL, true) === SOL_SOCKET &&
      words.getInt32(CONTROL.TYPE, true) === SCM_RIGHTS;
    if (!isDescriptor) throw new ErrnoError("EPROTO", "receive a descriptor", { why: "none came" });
    return words.getInt32(CONTROL.DATA, true);
  }

  /** Whether one datagram went to the socket at a path; never waits. */
  sendDatagram(path: string, bytes: Uint8Array<ArrayBuffer>): boolean {
    const { socket, sendto } = this.#library.symbols;
    const name = bytesOf(path);
    if (name.length > ADDRESS_BYTES - 2) return false;
    const fd = socket(AF_UNIX, SOCK_DGRAM | O_NONBLOCK | O_CLOEXEC, 0);
    if (fd < 0) return false;
    try {
      const address = new Uint8Array(ADDRESS_BYTES);
      new DataView(address.buffer).setUint16(0, AF_UNIX, true);
      address.set(name, 2);
      const length = BigInt(bytes.length);
      return sendto(fd, bytes, length, MSG_NOSIGNAL, address, address.length) === length;
    } finally {
      this.close(fd);
    }
  }

  /** Whether the filesystem that a path is on answers; a dead server's does not. */
  isAnswering(path: string): boolean {
    return this.#library.symbols.statvfs(bytesOf(path), new Uint8Array(STATVFS.BYTES)) === 0;
  }

  /**
   * Bytes that an ordinary user may still write to the filesystem that a path is on; Infinity if that
   * is not known, because what the path named is elsewhere by now.
   */
  freeBytes(path: string): number {
    const buffer = new Uint8Array(STATVFS.BYTES);
    if (this.#library.symbols.statvfs(bytesOf(path), buffer) !== 0) return Infinity;
    const view = new DataView(buffer.buffer);
    const unit = view.getBigUint64(STATVFS.FRAGMENT_SIZE, true);
    return Number(unit * view.getBigUint64(STATVFS.AVAILABLE, true));
  }

  /** Lets the library go. */
  dispose(): void {
    this.#library.close();
  }

  #checked(status: number, action: string): number {
    if (status >= 0) return status;
    const code: ErrnoCode = codeOfLinux(this.#errno.getInt32());
    throw new ErrnoError(code, action);
  }
}

/** struct msghdr. */
const MESSAGE = {
  VECTORS: 16,
  VECTOR_COUNT: 24,
  CONTROL: 32,
  CONTROL_BYTES: 40,
  BYTES: 56,
} as const;

/** struct cmsghdr, followed by one descriptor. */
const CONTROL = { LEVEL: 8, TYPE: 12, DATA: 16, BYTES: 24 } as const;

/** struct sockaddr_un: the family, and the path. */
const ADDRESS_BYTES = 110;

/** struct statvfs. */
const STATVFS = { FRAGMENT_SIZE: 8, AVAILABLE: 32, BYTES: 112 } as const;

/** A C string. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new ErrnoError("EINVAL", "use a path with NUL in it");
  return new TextEncoder().encode(`${text}\0`);
}

function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}

/** Supplementary groups of a process, as the kernel shows them; none if it is gone. */
export function groupsOfProcess(pid: number): number[] {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const line = /^Groups:[ \t]*(.*)$/m.exec(status)?.[1] ?? "";
    return line.split(" ").filter((word) => word !== "").map(Number);
  } catch {
    return [];
  }
}
