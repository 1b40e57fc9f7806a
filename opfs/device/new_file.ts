/**
 * A device that takes its name only when it is whole: until then it lies beside it, and what had the
 * name keeps it.
 *
 * Layer: device. Until the file is finished its name is locked, so that no other process opens it or makes it.
 *
 * Use: `const file = await newHostFile(path); try { fill(file.handle); await file.keep(); } finally {
 * await file.discard(); }`
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../abi/errno.ts";
import { codeOfHost } from "../../abi/thrown.ts";
import { fileHandle, translate as translateHost } from "./file.ts";
import { lockName } from "./file_lock.ts";
import { folderOf, type Host, hostFor, type NodeFs, type NodeStat, realPath } from "./host.ts";
import type { StorageHandle } from "./handle.ts";
import { findPlace, openOpfsHandle, translate } from "./opfs.ts";

/** A file on its way. */
export interface NewFile {
  /** What is written. Empty; `keep` closes it. */
  readonly handle: StorageHandle;
  /** Makes it durable and gives it the name, in place of what has it. */
  keep(): Promise<void>;
  /** Removes it, unless it has been kept, and lets the name go. */
  discard(): Promise<void>;
}

/** How a file comes into being. */
export interface NewFileOptions {
  /** Whether something that has the name already is replaced. Default false: EEXIST. */
  replace?: boolean;
  /**
   * Whether it is the same volume as what it replaces, made anew. That may then have one name alone, since a
   * second one would go on leading to the old volume: EMLINK. Of a host. Default false.
   */
  isReplacement?: boolean;
  /** How long to wait for a predecessor to let go, in ms; in a browser. Default 2,000. */
  deadlineMs?: number;
}

/** What a file is called until it is whole. */
const SUFFIX = ".new";

/**
 * Begins a file of the host.
 *
 * @throws {ErrnoError} EEXIST if something but an empty file has the name, EBUSY while a process has
 * it open, EACCES, ENOTSUP where there are no host files
 */
export function newHostFile(path: string, options: NewFileOptions = {}): Promise<NewFile> {
  return Promise.resolve().then(() => beginHostFile(path, options)).catch((error) => {
    throw translateHost(error, `make "${path}"`);
  });
}

function beginHostFile(
  path: string,
  { replace = false, isReplacement = false }: NewFileOptions,
): NewFile {
  const host = hostFor(`make "${path}"`);
  const { fs } = host;
  const real = realPath(path, fs);
  const release = holdName(real, path, { replace, host });
  let handle: StorageHandle;
  let temporary: string;
  let old: NodeStat | null;
  try {
    old = statOf(real, fs);
    if (isReplacement && old !== null && old.nlink > 1) {
      const why = "it has several names, and the others would lead to the old volume";
      throw new ErrnoError("EMLINK", `replace "${path}"`, { why });
    }
    temporary = makeTemporary(real, { host, mode: old === null ? NEW_MODE : OWN_MODE });
    handle = fileHandle(temporary);
  } catch (error) {
    release();
    throw error;
  }
  let isKept = false;
  return {
    handle,
    keep(): Promise<void> {
      return Promise.resolve().then(() => {
        handle.flush();
        handle.close();
        if (old !== null) copyOwnerAndMode(temporary, old, fs);
        fs.renameSync(temporary, real);
        isKept = true;
        syncFolder(real, fs);
      }).catch((error) => {
        throw translateHost(error, `make "${path}"`);
      });
    },
    discard(): Promise<void> {
      return Promise.resolve().then(() => {
        handle.close();
        if (!isKept) quietly(() => fs.unlinkSync(temporary));
        release();
      });
    },
  };
}

function statOf(path: string, fs: NodeFs): NodeStat | null {
  try {
    return fs.statSync(path);
  } catch (error) {
    if (codeOfHost(error) === "ENOENT") return null;
    throw error;
  }
}

/** What is to replace a file has its owner and permissions: a private volume stays private. */
function copyOwnerAndMode(path: string, { mode, uid, gid }: NodeStat, fs: NodeFs): void {
  const own = fs.statSync(path);
  let isGiven = own.uid === uid && own.gid === gid;
  try {
    if (!isGiven) fs.chownSync(path, uid, gid);
    isGiven = true;
  } catch (error) {
    if (codeOfHost(error) !== "EPERM") throw error;
  }
  // Another group than before may do what all may.
  const bits = isGiven || own.gid === gid ? mode : (mode & ~0o070) | (mode & 0o007) << 3;
  fs.chmodSync(path, bits & 0o777);
}

/** What a new file may be, before the user's mask. */
const NEW_MODE = 0o644;
/** What no other user may read until it is whole. */
const OWN_MODE = 0o600;

/** A new file beside that place: what lies there already is another's. */
function makeTemporary(
  path: string,
  { host: { fs, process }, mode }: { host: Host; mode: number },
): string {
  for (let number = 0;; number++) {
    const temporary = `${path}${SUFFIX}-${process.pid}-${number}`;
    try {
      fs.closeSync(fs.openSync(temporary, "wx", mode));
      return temporary;
    } catch (error) {
      if (codeOfHost(error) !== "EEXIST") throw error;
    }
  }
}

/** Locks the name, whether something has it or not; the result lets it go. */
function holdName(
  real: string,
  path: string,
  { replace, host }: { replace: boolean; host: Host },
): () => void {
  let old: StorageHandle;
  try {
    old = fileHandle(path, { create: false });
  } catch (error) {
    if (!isErrnoError(error) || error.code !== "ENOENT") throw error;
    const lock = lockName(real, path, host);
    return () => lock.release();
  }
  if (!replace && old.getSize() > 0) {
    old.close();
    throw new ErrnoError("EEXIST", `make "${path}"`, { why: "there is something already" });
  }
  return () => old.close();
}

/** Makes the name durable, where a folder can be opened for that. */
function syncFolder(path: string, fs: NodeFs): void {
  quietly(() => {
    const fd = fs.openSync(folderOf(path), fs.constants.O_RDONLY);
    try {
      fs.fdatasyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  });
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // It was a courtesy.
  }
}

/**
 * Begins a file of the origin private file system; in a worker. The caller holds the volume's lock.
 *
 * @throws {ErrnoError} EEXIST if something but an empty file has the name, EBUSY while a process has
 * it open, ENOTSUP where files cannot be opened or renamed, ENOSPC
 */
export async function newOpfsFile(path: string, options: NewFileOptions = {}): Promise<NewFile> {
  const { replace = false, deadlineMs = 2000 } = options;
  await refuseUsed(path, replace, deadlineMs);
  const { directory, name } = await findPlace(path, true);
  const handle = await openOpfsHandle(`${path}${SUFFIX}`, { deadlineMs });
  handle.truncate(0);
  let isKept = false;
  return {
    handle,
    async keep(): Promise<void> {
      handle.flush();
      handle.close();
      try {
        const file = await directory.getFileHandle(`${name}${SUFFIX}`, { create: false });
        if (typeof file.move !== "function") {
          throw new ErrnoError("ENOTSUP", `make "${path}"`, {
            why: "files cannot be renamed here",
          });
        }
        await file.move(name);
      } catch (error) {
        throw translate(error, path);
      }
      isKept = true;
    },
    async discard(): Promise<void> {
      handle.close();
      if (!isKept) await directory.removeEntry(`${name}${SUFFIX}`).catch(() => {});
    },
  };
}

/**
 * Removes what a page or worker that has ended left of a new file in the origin private file system: it
 * takes up space, and has no name that a volume can have. The caller holds the volume's lock, so that
 * none is being made.
 */
export async function clearUnfinished(path: string): Promise<void> {
  try {
    const { directory, name } = await findPlace(path, false);
    await directory.removeEntry(`${name}${SUFFIX}`);
  } catch {
    // Nothing is there, or its thread is just going away: the next opener removes it.
  }
}

async function refuseUsed(path: string, replace: boolean, deadlineMs: number): Promise<void> {
  let old: StorageHandle;
  try {
    old = await openOpfsHandle(path, { create: false, deadlineMs });
  } catch (error) {
    if (isErrnoError(error) && error.code === "ENOENT") return;
    throw error;
  }
  const sizeBytes = old.getSize();
  old.close();
  if (!replace && sizeBytes > 0) {
    throw new ErrnoError("EEXIST", `make "${path}"`, { why: "there is something already" });
  }
}
