/**
 * FuseServer: answers the kernel's requests about one volume, one after the other.
 *
 * Layer: adapters/fuse, over the handlers. It knows bytes and a volume, and neither a device nor a
 * mount: `session.ts` feeds it from /dev/fuse, a test from an array.
 *
 * Opening, closing and flushing are not answered at all (ENOSYS): the kernel then does them alone and
 * keeps its page cache from one open to the next, which is right because the volume has no other
 * user. Locks are not taken up either: the kernel keeps them, for all who use the mount.
 *
 * @module
 */
import { ErrnoError, isErrnoError, type VolumeOps } from "../../mod.ts";
import { getattr, setattr } from "./attributes.ts";
import { Context, type ServeOptions } from "./context.ts";
import { readdir, readdirplus } from "./directories.ts";
import { LinuxErrno, linuxErrno } from "./errno.ts";
import { copyFileRange, fallocate, fsync, lseek, read, statfs, sync, write } from "./files.ts";
import * as N from "./names.ts";
import * as P from "./protocol.ts";
import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";
import { getxattr, listxattr, removexattr, setxattr } from "./xattrs.ts";

type Handler = (context: Context, request: Request, reply: Reply) => void;

/** What of the kernel's offers is taken. */
const WANTED = P.Init.ASYNC_READ | P.Init.EXPORT_SUPPORT | P.Init.BIG_WRITES | P.Init.DONT_MASK |
  P.Init.DO_READDIRPLUS | P.Init.READDIRPLUS_AUTO | P.Init.ASYNC_DIO | P.Init.NO_OPEN_SUPPORT |
  P.Init.PARALLEL_DIROPS | P.Init.ABORT_ERROR | P.Init.MAX_PAGES | P.Init.CACHE_SYMLINKS |
  P.Init.NO_OPENDIR_SUPPORT | P.Init.HANDLE_KILLPRIV | P.Init.HANDLE_KILLPRIV_V2;

const BACKGROUND_MAX = 64;
const CONGESTED_AT = 48;
/** Times are kept to the microsecond; the kernel cuts what it hands over. */
const TIME_GRANULARITY_NS = 1000;

const silent: ReadonlySet<number> = new Set([P.Op.FORGET, P.Op.BATCH_FORGET, P.Op.INTERRUPT]);

const handlers: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [P.Op.INIT, init],
  [P.Op.LOOKUP, N.lookup],
  [P.Op.FORGET, N.forget],
  [P.Op.BATCH_FORGET, N.batchForget],
  [P.Op.GETATTR, getattr],
  [P.Op.SETATTR, setattr],
  [P.Op.READ, read],
  [P.Op.WRITE, write],
  [P.Op.FALLOCATE, fallocate],
  [P.Op.LSEEK, lseek],
  [P.Op.COPY_FILE_RANGE, copyFileRange],
  [P.Op.READDIR, readdir],
  [P.Op.READDIRPLUS, readdirplus],
  [P.Op.CREATE, N.create],
  [P.Op.TMPFILE, N.tmpfile],
  [P.Op.MKNOD, N.mknod],
  [P.Op.MKDIR, N.mkdir],
  [P.Op.SYMLINK, N.symlink],
  [P.Op.READLINK, N.readlink],
  [P.Op.LINK, N.link],
  [P.Op.UNLINK, N.unlink],
  [P.Op.RMDIR, N.rmdir],
  [P.Op.RENAME, N.rename],
  [P.Op.RENAME2, N.rename2],
  [P.Op.GETXATTR, getxattr],
  [P.Op.SETXATTR, setxattr],
  [P.Op.LISTXATTR, listxattr],
  [P.Op.REMOVEXATTR, removexattr],
  [P.Op.STATFS, statfs],
  [P.Op.FSYNC, fsync],
  [P.Op.FSYNCDIR, fsync],
  [P.Op.SYNCFS, sync],
  [P.Op.DESTROY, sync],
  [P.Op.INTERRUPT, nothing],
  [P.Op.IOCTL, refuseControl],
]);

/** Answers requests about one volume. */
export class FuseServer {
  readonly #context: Context;

  /** Serves a volume; `close()` before the volume is closed. */
  constructor(volume: VolumeOps, options: ServeOptions = {}) {
    this.#context = new Context(volume, options);
  }

  /** How many inodes the kernel holds, without the root; for tests: 0 after its FORGETs. */
  get knownInodes(): number {
    return this.#context.inodes.count;
  }

  /** Whether something may not be durable yet. */
  get isDirty(): boolean {
    return this.#context.isDirty;
  }

  /** Answers one request. Never throws: a failure is an answer. */
  answer(request: Request, reply: Reply): void {
    reply.begin(request);
    const handler = handlers.get(request.opcode);
    try {
      if (handler === undefined) reply.fail(LinuxErrno.ENOSYS);
      else handler(this.#context, request, reply);
    } catch (error) {
      this.#fail(error, reply);
    }
    if (silent.has(request.opcode)) reply.omit();
  }

  #fail(error: unknown, reply: Reply): void {
    // EIO is all that a program gets to know of a volume that fails or is damaged.
    if (!isErrnoError(error) || error.code === "EIO") this.#context.report(error);
    reply.fail(linuxErrno(error));
  }

  /** Makes everything durable. */
  sync(): void {
    sync(this.#context);
  }

  /** The kernel is gone: lets go of every inode that it held. */
  close(): void {
    this.#context.inodes.forgetAll();
  }
}

/** INIT: the first request. A kernel with a newer major version asks again with ours. */
function init(context: Context, request: Request, reply: Reply): void {
  const major = request.u32(P.INIT_IN.MAJOR);
  const minor = request.u32(P.INIT_IN.MINOR);
  if (major < P.MAJOR || major === P.MAJOR && minor < P.MINOR_MIN) {
    throw new ErrnoError("EPROTO", `serve a kernel that speaks version ${major}.${minor}`);
  }
  reply.clear(0, P.INIT_OUT.BYTES);
  reply.u32(P.INIT_OUT.MAJOR, P.MAJOR);
  reply.u32(P.INIT_OUT.MINOR, P.MINOR);
  reply.end(P.INIT_OUT.BYTES);
  if (major > P.MAJOR) return;
  const flags = chosen(request.u32(P.INIT_IN.FLAGS));
  context.saysWhoIsPrivileged = (flags & P.Init.HANDLE_KILLPRIV_V2) !== 0;
  reply.u32(P.INIT_OUT.MAX_READAHEAD, request.u32(P.INIT_IN.MAX_READAHEAD));
  reply.u32(P.INIT_OUT.FLAGS, flags);
  reply.u16(P.INIT_OUT.MAX_BACKGROUND, BACKGROUND_MAX);
  reply.u16(P.INIT_OUT.CONGESTION_THRESHOLD, CONGESTED_AT);
  reply.u32(P.INIT_OUT.MAX_WRITE, P.MAX_WRITE_BYTES);
  reply.u32(P.INIT_OUT.TIME_GRANULARITY, TIME_GRANULARITY_NS);
  reply.u16(P.INIT_OUT.MAX_PAGES, P.MAX_PAGES);
}

/** Of the two ways to take setuid away the newer one, where there is a choice. */
function chosen(offered: number): number {
  const flags = offered & WANTED;
  return flags & P.Init.HANDLE_KILLPRIV_V2 ? flags & ~P.Init.HANDLE_KILLPRIV : flags;
}

/** INTERRUPT: what it would interrupt has been answered already. */
function nothing(): void {}

/** No IOCTL is served. */
function refuseControl(): void {
  throw new ErrnoError("ENOTTY", "control a file");
}
