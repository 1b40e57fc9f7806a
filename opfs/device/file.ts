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
import { type FileLock, lockFile, type NodeFs, type NodeProcess } from "./file_lock.ts";
import type { StorageHandle } from "./handle.ts";

/** How {@link fileHandle} opens. */
export interface FileHandleOptions {
  /** Whether a missing file is made. Default true; false: ENOENT. */
  create?: boolean;
  /** Whether writing is refused with EROFS; no lock is taken then. Default false. */
  readOnly?: boolean;
}

/**
 * Opens a host file as a device.
 *
 * @throws {ErrnoError} EBUSY while somebody else has it open for writing, ENOENT, EACCES, EISDIR,
 * ENOTSUP where there are no host files
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
export function fileHandle(path: string, options: FileHandleOptions = {}): StorageHandle {
  const { create = true, readOnly = false } = options;
  const process = (globalThis as { process?: NodeProcess }).process;
  const fs = process?.getBuiltinModule?.("fs");
  if (process === undefined || fs === undefined) {
    throw new ErrnoError("ENOTSUP", `open "${path}": there are no host files here`);
  }
  let lock: FileLock | null = null;
  try {
    const { O_RDONLY, O_RDWR, O_CREAT } = fs.constants;
    if (!create || readOnly) fs.closeSync(fs.openSync(path, O_RDONLY));
    lock = readOnly ? null : lockFile(path, fs, process);
    const flags = readOnly ? O_RDONLY : create ? O_RDWR | O_CREAT : O_RDWR;
    const fd = fs.openSync(path, flags, 0o644);
    if (!fs.fstatSync(fd).isFile()) {
      fs.closeSync(fd);
      throw new ErrnoError("EINVAL", `open "${path}": it is not a file`);
    }
    return new HostFile({ fd, fs, lock, path });
  } catch (error) {
    lock?.release();
    throw translate(error, `open "${path}"`);
  }
}

class HostFile implements StorageHandle {
  /** Hosts make a file longer without taking room for it. */
  readonly isSparse = true;
  readonly #fs: NodeFs;
  readonly #path: string;
  readonly #lock: FileLock | null;
  #fd: number;

  constructor(opened: { fd: number; fs: NodeFs; lock: FileLock | null; path: string }) {
    this.#fd = opened.fd;
    this.#fs = opened.fs;
    this.#lock = opened.lock;
    this.#path = opened.path;
  }

  read(into: Uint8Array, { at }: { at: number }): number {
    let done = 0;
    try {
      while (done < into.length) {
        const count = this.#fs.readSync(this.#fd, into, done, into.length - done, at + done);
        if (count === 0) break;
        invariant(count > 0 && count <= into.length - done, `D1: the host read ${count} bytes`);
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
        invariant(count > 0 && count <= from.length - done, `D1: the host wrote ${count} bytes`);
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

  /** Infinity where nobody can tell: under Deno that takes permission for `sys=statfs`. */
  getSpareBytes(): number {
    if (!mayAskForSpace()) return Infinity;
    try {
      const { bavail, bsize } = this.#fs.statfsSync(this.#path);
      return bavail * bsize;
    } catch {
      return Infinity;
    }
  }

  close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    try {
      this.#fs.closeSync(fd);
    } finally {
      this.#lock?.release();
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
  "ENOSPC",
  "ENOTDIR",
  "EPERM",
  "EROFS",
]);

/** The host's error in our words; one of ours passes. */
export function translate(error: unknown, action: string): ErrnoError {
  if (isErrnoError(error)) return error;
  const code = String((error as { code?: unknown } | null)?.code);
  if (codes.has(code)) return new ErrnoError(code as "EIO", action, { cause: error });
  const isDenied = (error as { name?: unknown } | null)?.name === "NotCapable";
  const why = `${action}: ${(error as { message?: unknown } | null)?.message ?? String(error)}`;
  return new ErrnoError(isDenied ? "EACCES" : "EIO", why, { cause: error });
}

interface Permissions {
  querySync(what: { name: "sys"; kind: "statfs" }): { state: string };
}

/** Never a question to the user: what it tells is worth less than that. */
function mayAskForSpace(): boolean {
  const deno = (globalThis as { Deno?: { permissions: Permissions } }).Deno;
  if (deno === undefined) return true;
  return deno.permissions.querySync({ name: "sys", kind: "statfs" }).state === "granted";
}
