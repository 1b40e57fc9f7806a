/**
 * A file of the host (Deno, Node) as a device: positioned I/O, fdatasync, and a lock that keeps a
 * second opener out.
 *
 * Layer: device. `node:fs` is reached through the running process, never imported: an import would
 * break every bundle for the browser. Needs permission to read and write the file's folder.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { codeOfHost, messageOf } from "../../abi/thrown.ts";
import { type FileLock, lockName } from "./file_lock.ts";
import { type Host, hostFor, isSameFile, type NodeFs, type NodeStat, realPath } from "./host.ts";
import { type InodeLock, lockInode } from "./inode_lock.ts";
import type { StorageHandle } from "./handle.ts";

/** How {@link fileHandle} opens. */
export interface FileHandleOptions {
  /** Whether a missing file is made. Default true; false: ENOENT. */
  create?: boolean;
  /**
   * Whether it is opened to read alone. No lock is taken then: another may have the file open, and
   * change it during that time. `isChanged` of the handle says whether one did. Default false.
   */
  readOnly?: boolean;
}

/** A host file as a device. */
export interface HostFileHandle extends StorageHandle {
  /**
   * Whether the file was written since it was opened, by whomever, as far as its times and its
   * length say: what was read may then be of two moments.
   */
  isChanged(): boolean;
}

/**
 * Opens a host file as a device.
 *
 * @throws {ErrnoError} EBUSY while another has it open for writing, by whichever name, ENOENT, EACCES,
 * EISDIR, EEXIST if `PATH.lock` is no lock, ENOLCK where it cannot be locked, ENOTSUP where there are
 * no host files
 * @example
 * ```ts
 * import { fileHandle, openVolumeSync } from "@cairn/fs/opfs";
 * import { assertEquals } from "@std/assert";
 *
 * const path = `${Deno.makeTempDirSync()}/notes.cairn`;
 * const volume = openVolumeSync(fileHandle(path));
 * volume.create(volume.root, "a", { mode: 0o100644, uid: 0, gid: 0 });
 * volume.close();
 * const again = openVolumeSync(fileHandle(path));
 * assertEquals(again.readdir(again.root, 0).map((entry) => entry.name), ["a"]);
 * again.close();
 * ```
 */
export function fileHandle(path: string, options: FileHandleOptions = {}): HostFileHandle {
  const action = `open "${path}"`;
  const host = hostFor(action);
  try {
    return options.readOnly === true
      ? openToRead(path, host)
      : openAlone(path, { create: options.create ?? true, host });
  } catch (error) {
    throw translate(error, action);
  }
}

function openToRead(path: string, { fs }: Host): HostFileHandle {
  const fd = openFile(path, fs.constants.O_RDONLY, fs);
  letTick(fd, fs);
  return new HostFile({ fd, fs, path, release: () => {} });
}

/** A clock of files moves on at least that often, in ms, on most systems that there are. */
const TICK_MS = 20;
/** ext3 and old NFS keep whole seconds, FAT every second one. */
const COARSE_TICK_MS = 2000;
/** A file that is written without a pause is waited for no longer than that many ticks. */
const TICKS_MAX = 5;

/** What is written after this has another time than what was written before. */
function letTick(fd: number, fs: NodeFs): void {
  for (let count = 0; count < TICKS_MAX; count++) {
    const { mtimeMs } = fs.fstatSync(fd);
    const ageMs = Date.now() - mtimeMs;
    const tickMs = mtimeMs % 1000 === 0 ? COARSE_TICK_MS : TICK_MS;
    if (ageMs < 0 || ageMs >= tickMs) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, tickMs - ageMs);
  }
}

/**
 * A descriptor of what is a file. Nothing else is opened: a FIFO would wait for its other end, and
 * some devices do something when they are.
 */
function openFile(path: string, flags: number, fs: NodeFs): number {
  refuseSpecial(path, fs);
  const fd = fs.openSync(path, flags | (fs.constants.O_NONBLOCK ?? 0), 0o644);
  if (fs.fstatSync(fd).isFile()) return fd;
  fs.closeSync(fd);
  throw noFile(path);
}

const TYPE_BITS = 0o170000;
const IS_DIRECTORY = 0o040000;

function refuseSpecial(path: string, fs: NodeFs): void {
  let found: NodeStat;
  try {
    found = fs.statSync(path);
  } catch {
    return; // Opening says what is wrong.
  }
  if (!found.isFile() && (found.mode & TYPE_BITS) !== IS_DIRECTORY) throw noFile(path);
}

function noFile(path: string): ErrnoError {
  return new ErrnoError("EINVAL", `open "${path}"`, { why: "it is not a file" });
}

/** How often a file may be replaced while it is being opened. */
const ATTEMPTS = 20;

function openAlone(path: string, { create, host }: { create: boolean; host: Host }): HostFile {
  const { fs } = host;
  if (!create) {
    refuseSpecial(path, fs);
    fs.closeSync(fs.openSync(path, fs.constants.O_RDONLY));
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const real = realPath(path, fs);
    const name = holdName(real, path, host);
    let file: HostFile | null = null;
    try {
      file = lockFile(real, { called: path, create, host, name });
    } finally {
      if (file === null) releaseName(name, null);
    }
    if (file !== null) return file;
  }
  throw new ErrnoError("EBUSY", `open "${path}"`, { why: "it is being replaced all the time" });
}

/** A name that is held, or why nothing of ours can lie beside it; the file itself holds it then. */
type HeldName = FileLock | ErrnoError;

/** Why no lock can lie beside a file: nothing may be made there, or has room, or its name is too long. */
const NO_PLACE: ReadonlySet<string> = new Set([
  ...["EACCES", "EDQUOT", "EEXIST", "ENAMETOOLONG", "ENOSPC", "EPERM", "EROFS"],
]);

function holdName(real: string, path: string, host: Host): HeldName {
  try {
    return lockName(real, path, host);
  } catch (error) {
    const refusal = translate(error, `open "${path}"`);
    if (NO_PLACE.has(refusal.code)) return refusal;
    throw error;
  }
}

interface Locking {
  called: string;
  create: boolean;
  host: Host;
  name: HeldName;
}

/** Opens the file and locks it by device and inode; null: its name leads to another one by now. */
function lockFile(real: string, { called, create, host, name }: Locking): HostFile | null {
  const { fs } = host;
  const { O_RDWR, O_CREAT } = fs.constants;
  const fd = openFile(real, create ? O_RDWR | O_CREAT : O_RDWR, fs);
  let file: HostFile | null = null;
  try {
    const lock = lockInode({ fd, path: real }, host);
    if (lock === "moved") return null;
    if (lock === "busy") throw heldError(called);
    if (lock === null) requireOneName(fd, called, { host, name });
    if (leadsTo(real, fd, fs)) {
      file = new HostFile({ fd, fs, path: called, release: () => releaseName(name, lock) });
    } else lock?.release();
    return file;
  } finally {
    if (file === null) fs.closeSync(fd);
  }
}

/** Whether a path still leads to what was opened. */
function leadsTo(path: string, fd: number, fs: NodeFs): boolean {
  try {
    return isSameFile(fs.statSync(path), fs.fstatSync(fd));
  } catch (error) {
    if (codeOfHost(error) === "ENOENT") return false;
    throw error;
  }
}

function releaseName(name: HeldName, lock: InodeLock | null): void {
  try {
    if (!isErrnoError(name)) name.release();
  } finally {
    lock?.release();
  }
}

function heldError(path: string): ErrnoError {
  const who = "another process holds it, by another name of it";
  return new ErrnoError("EBUSY", `open "${path}"`, { why: `${who}; close it there first` });
}

/** Where a file cannot be locked by itself its name alone holds it, so it may have only one. */
function requireOneName(
  fd: number,
  path: string,
  { host: { fs }, name }: { host: Host; name: HeldName },
): void {
  if (isErrnoError(name)) throw name;
  if (fs.fstatSync(fd).nlink <= 1) return;
  const hint =
    "this host locks files by their names alone (on Linux, Node takes the program flock)";
  throw new ErrnoError("ENOLCK", `open "${path}"`, { why: `it has several names, and ${hint}` });
}

class HostFile implements HostFileHandle {
  /** Hosts make a file longer without taking room for it. */
  readonly isSparse = true;
  readonly #fs: NodeFs;
  readonly #path: string;
  readonly #release: () => void;
  readonly #opened: string;
  #fd: number;

  constructor(opened: { fd: number; fs: NodeFs; path: string; release: () => void }) {
    this.#fd = opened.fd;
    this.#fs = opened.fs;
    this.#path = opened.path;
    this.#release = opened.release;
    this.#opened = this.#stamp();
  }

  isChanged(): boolean {
    return this.#fd >= 0 && this.#stamp() !== this.#opened;
  }

  #stamp(): string {
    const { size, mtimeMs, ctimeMs } = this.#fs.fstatSync(this.#fd);
    return `${size} ${mtimeMs} ${ctimeMs}`;
  }

  read(into: Uint8Array, { at }: { at: number }): number {
    let done = 0;
    try {
      while (done < into.length) {
        const count = this.#fs.readSync(this.#fd, into, done, into.length - done, at + done);
        if (count === 0) break;
        invariant(count > 0 && count <= into.length - done, "D1: the host read {} bytes", count);
        done += count;
      }
      return done;
    } catch (error) {
      throw translate(error, `read "${this.#path}"`);
    }
  }

  write(from: Uint8Array, { at }: { at: number }): number {
    let done = 0;
    try {
      while (done < from.length) {
        const count = this.#fs.writeSync(this.#fd, from, done, from.length - done, at + done);
        if (count === 0) break;
        invariant(count > 0 && count <= from.length - done, "D1: the host wrote {} bytes", count);
        done += count;
      }
      return done;
    } catch (error) {
      throw translate(error, `write "${this.#path}"`);
    }
  }

  getSize(): number {
    try {
      return this.#fs.fstatSync(this.#fd).size;
    } catch (error) {
      throw translate(error, `measure "${this.#path}"`);
    }
  }

  truncate(sizeBytes: number): void {
    try {
      this.#fs.ftruncateSync(this.#fd, sizeBytes);
    } catch (error) {
      throw translate(error, `resize "${this.#path}"`);
    }
  }

  flush(): void {
    try {
      this.#fs.fdatasyncSync(this.#fd);
    } catch (error) {
      throw translate(error, `flush "${this.#path}"`);
    }
  }

  /** Infinity where that is not known: under Deno that takes permission for `sys=statfs`. */
  getSpareBytes(): number {
    if (!mayAsk({ name: "sys", kind: "statfs" })) return Infinity;
    // It may have another name by now, and its own may be on another disk.
    const paths = mayAsk({ name: "read", path: "/proc" })
      ? [this.#path, `/proc/self/fd/${this.#fd}`]
      : [this.#path];
    for (const path of paths) {
      try {
        if (!leadsTo(path, this.#fd, this.#fs)) continue;
        const { bavail, bsize } = this.#fs.statfsSync(path);
        return bavail * bsize;
      } catch {
        // It cannot be asked by this name.
      }
    }
    return Infinity;
  }

  close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    try {
      this.#fs.closeSync(fd);
    } finally {
      this.#release();
    }
  }
}

const codes: ReadonlySet<string> = new Set([
  "EACCES",
  "EBUSY",
  "EDQUOT",
  "EFBIG",
  "EISDIR",
  "ELOOP",
  "EMFILE",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOLCK",
  "ENOSPC",
  "ENOTDIR",
  "EPERM",
  "EROFS",
]);

/** The host's error in our words; one of ours passes. */
export function translate(error: unknown, action: string): ErrnoError {
  if (isErrnoError(error)) return error;
  const code = codeOfHost(error);
  if (codes.has(code)) return new ErrnoError(code as "EIO", action, { cause: error });
  const isDenied = (error as { name?: unknown } | null)?.name === "NotCapable";
  const why = messageOf(error);
  return new ErrnoError(isDenied ? "EACCES" : "EIO", action, { why, cause: error });
}

type Permission = { name: "sys"; kind: "statfs" } | { name: "read"; path: string };

interface Permissions {
  querySync(what: Permission): { state: string };
}

/** Never asks the user: the answer is not worth a question. */
function mayAsk(what: Permission): boolean {
  const deno = (globalThis as { Deno?: { permissions: Permissions } }).Deno;
  return deno === undefined || deno.permissions.querySync(what).state === "granted";
}
