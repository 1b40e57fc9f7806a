/**
 * HostCalls: a directory of the host with the calls of a file system, confined to it.
 *
 * Layer: node_ops, under `node_ops/hostfs.ts`. It finds `node:fs` at run time, so that no bundle for
 * a browser ever sees the name. It never follows a link: the path walk on top does, inside the
 * mount. Before each call the directory that holds the name is resolved by the host and must be
 * exactly where it is expected, so that a link that was put there in between leads nowhere.
 *
 * A program that changes the directory at the very moment of a call could still win that race; do not
 * mount what an enemy writes to.
 *
 * @module
 */
import type { StatFs } from "../abi/attr.ts";
import { Errno, type ErrnoCode, ErrnoError, isErrnoError } from "../abi/errno.ts";
import {
  O_ACCMODE,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_DSYNC,
  O_EXCL,
  O_NOATIME,
  O_TMPFILE,
  O_TRUNC,
  UTIME_OMIT,
} from "../abi/flags.ts";
import { isFIFO, isLink, S_IFMT } from "../abi/mode.ts";
import type { PathCalls, PathStat, PathStream, PathTime } from "../abi/path_calls.ts";
import { codeOfHost } from "../abi/thrown.ts";

interface HostStat extends Omit<PathStat, "rdev"> {
  rdev: number;
}

/** A time as `node:fs` takes it: seconds, or a Date. */
type HostTime = number | Date;

/** What is used of `node:fs`. */
export interface HostFs {
  readonly constants: Readonly<Record<string, number | undefined>>;
  openSync(path: string, flags: number, mode?: number): number;
  closeSync(fd: number): void;
  readSync(fd: number, into: Uint8Array, offset: number, length: number, at: number | null): number;
  writeSync(
    fd: number,
    from: Uint8Array,
    offset: number,
    length: number,
    at: number | null,
  ): number;
  lstatSync(path: string): HostStat;
  fstatSync(fd: number): HostStat;
  mkdirSync(path: string, mode: number): void;
  rmdirSync(path: string): void;
  readdirSync(path: string): string[];
  unlinkSync(path: string): void;
  renameSync(from: string, to: string): void;
  linkSync(from: string, to: string): void;
  symlinkSync(target: string, path: string): void;
  readlinkSync(path: string): string;
  realpathSync(path: string): string;
  chmodSync(path: string, mode: number): void;
  fchmodSync(fd: number, mode: number): void;
  lchownSync(path: string, uid: number, gid: number): void;
  fchownSync(fd: number, uid: number, gid: number): void;
  lutimesSync(path: string, atime: HostTime, mtime: HostTime): void;
  futimesSync(fd: number, atime: HostTime, mtime: HostTime): void;
  truncateSync(path: string, size: number): void;
  ftruncateSync(fd: number, size: number): void;
  accessSync(path: string, mode: number): void;
  fsyncSync(fd: number): void;
  statfsSync(path: string): {
    bsize: number;
    blocks: number;
    bavail: number;
    files: number;
    ffree: number;
  };
}

/** The host's files, where there are any. ENOTSUP elsewhere. */
export function hostFs(): HostFs {
  const { process } = globalThis as {
    process?: { getBuiltinModule?(name: string): unknown };
  };
  const fs = process?.getBuiltinModule?.("node:fs");
  if (fs === undefined || fs === null) {
    throw new ErrnoError("ENOTSUP", "use host files", { why: "this host has no files" });
  }
  return fs as HostFs;
}

/** The calls, on one directory. Paths start at it: "/" is the directory. */
export class HostCalls implements PathCalls {
  readonly #fs: HostFs;
  readonly #root: string;

  /** Over the directory at `directory`. ENOENT, ENOTDIR, ENOTSUP. */
  constructor(directory: string, fs: HostFs = hostFs()) {
    this.#fs = fs;
    this.#root = this.#run(`mount "${directory}"`, () => fs.realpathSync(directory))
      .replace(/\/+$/, "");
  }

  /** Where a path is on the host. EACCES if its directory is not where it should be. */
  #host(path: string): string {
    const host = this.#root + (path === "/" ? "" : path);
    if (path === "/") return host === "" ? "/" : host;
    if (path.split("/").includes("..")) throw new ErrnoError("EACCES", `leave the mount by ".."`);
    const parent = host.slice(0, host.lastIndexOf("/")) || "/";
    if (this.#fs.realpathSync(parent) !== parent) {
      throw new ErrnoError("EACCES", `follow a link of the host at "${path}"`);
    }
    return host;
  }

  /** The same for calls of the host that follow a link at the end. */
  #hostFile(path: string): string {
    const host = this.#host(path);
    if (isLink(this.#fs.lstatSync(host).mode)) {
      throw new ErrnoError("ELOOP", `follow a link of the host at "${path}"`);
    }
    return host;
  }

  #run<R>(action: string, call: () => R): R {
    try {
      return call();
    } catch (error) {
      if (isErrnoError(error)) throw error;
      throw new ErrnoError(codeOf(error), action, { cause: error });
    }
  }

  /** Opens, without following a link. */
  open(path: string, flags: number, mode = 0o666): PathStream {
    const { O_NOFOLLOW } = this.#fs.constants;
    const fd = this.#run(`open "${path}"`, () => {
      const host = O_NOFOLLOW === undefined ? this.#unlinked(path) : this.#host(path);
      return this.#fs.openSync(host, this.#flags(flags) | (O_NOFOLLOW ?? 0), mode);
    });
    return { fd };
  }

  /** For a host that always follows links: looks first. */
  #unlinked(path: string): string {
    try {
      return this.#hostFile(path);
    } catch (error) {
      if (isErrnoError(error) || codeOf(error) !== "ENOENT") throw error;
      return this.#host(path);
    }
  }

  /** The host's own numbers of the flags, which differ between systems. ENOTSUP. */
  #flags(flags: number): number {
    const { constants } = this.#fs;
    let bits = flags & O_ACCMODE;
    for (const [flag, name] of FLAG_NAMES) {
      if (flags & flag) bits |= constants[name] ?? (flag === O_DSYNC ? constants.O_SYNC : 0) ?? 0;
    }
    if ((flags & O_TMPFILE) !== O_TMPFILE) return bits;
    if (!isLinux()) throw new ErrnoError("ENOTSUP", "make a file without a name on this host");
    return bits | LINUX_TMPFILE;
  }

  /** Opens once more what is open, by the host's own /proc. ENOENT where that is missing. */
  reopen(fd: number, flags: number): PathStream {
    const action = "open a host file without a name";
    if (!isLinux()) throw new ErrnoError("ENOENT", action);
    return {
      fd: this.#run(action, () => this.#fs.openSync(`/proc/self/fd/${fd}`, this.#flags(flags))),
    };
  }

  /** Closes. */
  close(stream: PathStream): void {
    const fd = fdOf(stream);
    stream.fd = null;
    this.#run("close", () => this.#fs.closeSync(fd));
  }

  /** Reads. */
  read(
    stream: PathStream,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position?: number,
  ): number {
    return this.#run(
      "read",
      () => this.#fs.readSync(fdOf(stream), buffer, offset, length, position ?? null),
    );
  }

  /** Writes. */
  write(
    stream: PathStream,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position?: number,
  ): number {
    return this.#run(
      "write",
      () => this.#fs.writeSync(fdOf(stream), buffer, offset, length, position ?? null),
    );
  }

  /** The same as `lstat`: links are followed by the walk on top. */
  stat(path: string): PathStat {
    return this.lstat(path);
  }

  /** Attributes. */
  lstat(path: string): PathStat {
    return this.#run(`stat "${path}"`, () => shown(this.#fs.lstatSync(this.#host(path))));
  }

  /** Attributes of an open file. */
  fstat(fd: number): PathStat {
    return this.#run("stat", () => shown(this.#fs.fstatSync(fd)));
  }

  /** Makes a directory. */
  mkdir(path: string, mode = 0o777): void {
    this.#run(`mkdir "${path}"`, () => this.#fs.mkdirSync(this.#host(path), mode));
  }

  /** Removes a directory. */
  rmdir(path: string): void {
    this.#run(`rmdir "${path}"`, () => this.#fs.rmdirSync(this.#host(path)));
  }

  /** Names. */
  readdir(path: string): string[] {
    return this.#run(`readdir "${path}"`, () => this.#fs.readdirSync(this.#hostFile(path)));
  }

  /** The host lets no user make special files from here: EPERM. */
  mknod(path: string, mode: number, _dev: number): void {
    throw new ErrnoError("EPERM", `make ${isFIFO(mode) ? "FIFO" : "device"} "${path}" on the host`);
  }

  /** Removes a name. */
  unlink(path: string): void {
    this.#run(`unlink "${path}"`, () => this.#fs.unlinkSync(this.#host(path)));
  }

  /** Moves a name. */
  rename(oldPath: string, newPath: string): void {
    this.#run(
      `rename "${oldPath}"`,
      () => this.#fs.renameSync(this.#host(oldPath), this.#host(newPath)),
    );
  }

  /** Adds a name. */
  link(oldPath: string, newPath: string): void {
    this.#run(
      `link "${newPath}"`,
      () => this.#fs.linkSync(this.#host(oldPath), this.#host(newPath)),
    );
  }

  /** Makes a link, whose text the host never follows on our behalf. */
  symlink(target: string, path: string): void {
    this.#run(`symlink "${path}"`, () => this.#fs.symlinkSync(target, this.#host(path)));
  }

  /** What a link holds. */
  readlink(path: string): string {
    return this.#run(`readlink "${path}"`, () => this.#fs.readlinkSync(this.#host(path)));
  }

  /** The path itself, for there are no links on the way. */
  realpath(path: string): string {
    this.lstat(path);
    return path;
  }

  /** Changes permission bits. */
  chmod(path: string, mode: number): void {
    this.#run(`chmod "${path}"`, () => this.#fs.chmodSync(this.#hostFile(path), mode));
  }

  /** Changes permission bits of an open file. */
  fchmod(fd: number, mode: number): void {
    this.#run("chmod", () => this.#fs.fchmodSync(fd, mode));
  }

  /** Changes the owner. */
  chown(path: string, uid: number, gid: number): void {
    this.lchown(path, uid, gid);
  }

  /** Changes the owner. */
  lchown(path: string, uid: number, gid: number): void {
    this.#run(`chown "${path}"`, () => this.#fs.lchownSync(this.#host(path), uid, gid));
  }

  /** Changes the owner of an open file. */
  fchown(fd: number, uid: number, gid: number): void {
    this.#run("chown", () => this.#fs.fchownSync(fd, uid, gid));
  }

  /** Sets times, of a link itself too. */
  utime(path: string, atimeMs: number, mtimeMs: number): void {
    this.#run(
      `utime "${path}"`,
      () => this.#fs.lutimesSync(this.#host(path), hostTime(atimeMs), hostTime(mtimeMs)),
    );
  }

  /** The same, where one of them may be left alone. */
  lutimens(path: string, atime: PathTime, mtime: PathTime): void {
    const stat = this.lstat(path);
    this.utime(path, timeMs(atime, stat.atimeMs), timeMs(mtime, stat.mtimeMs));
  }

  /** Sets times of an open file. */
  futimens(fd: number, atime: PathTime, mtime: PathTime): void {
    const { atimeMs, mtimeMs } = this.fstat(fd);
    const times = [hostTime(timeMs(atime, atimeMs)), hostTime(timeMs(mtime, mtimeMs))] as const;
    this.#run("utime", () => this.#fs.futimesSync(fd, ...times));
  }

  /** Cuts or extends. */
  truncate(path: string, sizeBytes: number): void {
    this.#run(`truncate "${path}"`, () => this.#fs.truncateSync(this.#hostFile(path), sizeBytes));
  }

  /** Cuts or extends an open file. */
  ftruncate(fd: number, sizeBytes: number): void {
    this.#run("truncate", () => this.#fs.ftruncateSync(fd, sizeBytes));
  }

  /** Checks what the host's user may do. */
  access(path: string, mode: number): void {
    this.#run(`access "${path}"`, () => this.#fs.accessSync(this.#hostFile(path), mode));
  }

  /** Makes an open file durable. */
  fsync(stream: PathStream | number): void {
    const fd = typeof stream === "number" ? stream : fdOf(stream);
    this.#run("fsync", () => this.#fs.fsyncSync(fd));
  }

  /** Space. */
  statfs(path: string): StatFs {
    return this.#run("statfs", () => {
      const { bsize, blocks, bavail, files, ffree } = this.#fs.statfsSync(this.#host(path));
      return { blockSize: bsize, blocks, freeBlocks: bavail, inodes: files, freeInodes: ffree };
    });
  }
}

/** Flags that are passed on, and what the host calls them. Where it has no O_DSYNC, O_SYNC does. */
const FLAG_NAMES = [
  [O_CREAT, "O_CREAT"],
  [O_EXCL, "O_EXCL"],
  [O_TRUNC, "O_TRUNC"],
  [O_APPEND, "O_APPEND"],
  [O_DIRECTORY, "O_DIRECTORY"],
  [O_DSYNC, "O_DSYNC"],
  [O_NOATIME, "O_NOATIME"],
] as const;

/** O_TMPFILE without O_DIRECTORY, which `node:fs` does not name. */
const LINUX_TMPFILE = 0o20000000;

function isLinux(): boolean {
  const { process } = globalThis as { process?: { platform?: string } };
  return process?.platform === "linux";
}

function timeMs([seconds, nanoseconds]: PathTime, before: number): number {
  return nanoseconds === UTIME_OMIT ? before : seconds * 1000 + nanoseconds / 1e6;
}

/** Less than a microsecond, and more than what is lost by making seconds of ms. */
const ROUNDING_S = 3e-7;

/**
 * `node:fs` cuts what is below its precision (a microsecond in Node, a millisecond in Deno), so the
 * number must not be a hair too small. A negative number it takes for now, and a negative fraction it
 * refuses or not, so times before 1970 are whole seconds.
 */
function hostTime(ms: number): HostTime {
  if (ms >= 0) return ms / 1000 + ROUNDING_S;
  return new Date(Math.floor(ms / 1000) * 1000);
}

/** The host's code, where it is one of ours. */
function codeOf(error: unknown): ErrnoCode {
  const code = codeOfHost(error);
  return code in Errno ? code as ErrnoCode : "EIO";
}

function fdOf(stream: PathStream): number {
  if (stream.fd === null) throw new ErrnoError("EBADF", "use a closed host file");
  return stream.fd;
}

/** The host's stat result, with what a program without types might find there left out. */
function shown(stat: HostStat): PathStat {
  const { dev, ino, mode, nlink, uid, gid, rdev, size, blocks } = stat;
  const { atimeMs, mtimeMs, ctimeMs } = stat;
  const device = (mode & S_IFMT) === 0o020000 || (mode & S_IFMT) === 0o060000 ? rdev : 0;
  const owner = { uid, gid, rdev: device };
  return { dev, ino, mode, nlink, ...owner, size, blocks, atimeMs, mtimeMs, ctimeMs };
}
