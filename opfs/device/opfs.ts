/**
 * A file in the origin private file system as a device: finds it, makes it, opens its sync access
 * handle.
 *
 * Layer: device. Works where the browser hands such handles out, which is in a dedicated worker.
 * The handle keeps all others out until it is closed; a tab that is just going away, or a
 * worker that was just ended, lets go a moment later, so opening tries again until a deadline.
 *
 * @module
 */
import { LEAST_WAIT_MS, nameOf, refusedStorage } from "../../abi/browser_errors.ts";
import { ErrnoError } from "../../abi/errno.ts";
import { BrowserHandle, type SyncAccessHandle } from "./browser_handle.ts";

/** How {@link openOpfsHandle} opens. */
export interface OpfsHandleOptions {
  /** Whether a missing file is made. Default true; false: ENOENT. */
  create?: boolean;
  /** How long to wait for a predecessor to let go, in ms, 100 at least. Default 2,000. */
  deadlineMs?: number;
}

/** The browser's file handle, as far as it is used here. */
export interface OpfsFile {
  /** Opens it; only in a worker. */
  createSyncAccessHandle?: () => Promise<SyncAccessHandle>;
  /** Gives it another name in its directory, in place of what has it. */
  move?: (name: string) => Promise<void>;
}

/** The browser's directory handle, as far as it is used here. */
export interface OpfsDirectory {
  /** A directory in it. */
  getDirectoryHandle(name: string, options: { create: boolean }): Promise<OpfsDirectory>;
  /** A file in it. */
  getFileHandle(name: string, options: { create: boolean }): Promise<OpfsFile>;
  /** Removes one of them. */
  removeEntry(name: string): Promise<void>;
}

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

/**
 * Opens a file of the origin private file system by a path like `/notes.cairn`; missing directories
 * are made with it.
 *
 * @throws {ErrnoError} ENOTSUP where there is no such file system or no sync access handle, ENOENT
 * with `create: false`, EBUSY when another opener still holds it at the deadline
 */
export async function openOpfsHandle(
  path: string,
  options: OpfsHandleOptions = {},
): Promise<BrowserHandle> {
  const { create = true, deadlineMs = 2000 } = options;
  const { directory, name } = await findPlace(path, create);
  let opened: SyncAccessHandle;
  try {
    opened = await openFile(await directory.getFileHandle(name, { create }), path, deadlineMs);
  } catch (error) {
    throw translate(error, path);
  }
  const handle = new BrowserHandle(opened);
  await handle.estimate();
  return handle;
}

/** A sync access handle, when its present holder has let go. */
async function openFile(
  file: OpfsFile,
  path: string,
  deadlineMs: number,
): Promise<SyncAccessHandle> {
  if (typeof file.createSyncAccessHandle !== "function") {
    throw new ErrnoError("ENOTSUP", `open "${path}"`, {
      why: "sync access handles exist only in a worker",
    });
  }
  // Pauses are counted, not the time: a machine that slept in between has not tried.
  const longestMs = Math.max(deadlineMs, LEAST_WAIT_MS);
  let waitedMs = 0;
  for (let pauseMs = FIRST_PAUSE_MS;; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await file.createSyncAccessHandle();
    } catch (error) {
      if (!isHeldElsewhere(error)) throw error;
      waitedMs += pauseMs;
      if (waitedMs > longestMs) throw heldElsewhere(path, error);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** The directory that a path leads to, and the name there. */
export async function findPlace(
  path: string,
  create: boolean,
): Promise<{ directory: OpfsDirectory; name: string }> {
  const names = path.split("/").filter((name) => name !== "");
  const last = names.pop();
  if (last === undefined) throw new ErrnoError("EINVAL", `open "${path}"`);
  try {
    let directory = await rootDirectory(path);
    for (const name of names) directory = await directory.getDirectoryHandle(name, { create });
    return { directory, name: last };
  } catch (error) {
    throw translate(error, path);
  }
}

async function rootDirectory(path: string): Promise<OpfsDirectory> {
  const storage = (globalThis as { navigator?: { storage?: { getDirectory?: unknown } } })
    .navigator?.storage;
  if (typeof storage?.getDirectory !== "function") {
    throw new ErrnoError("ENOTSUP", `open "${path}"`, {
      why: "there is no origin private file system here",
    });
  }
  return await storage.getDirectory() as OpfsDirectory;
}

function isHeldElsewhere(error: unknown): boolean {
  return nameOf(error) === "NoModificationAllowedError" || nameOf(error) === "InvalidStateError";
}

function heldElsewhere(path: string, cause: unknown): ErrnoError {
  const why = "another tab or worker holds it; close it there";
  return new ErrnoError("EBUSY", `open "${path}"`, { why, cause });
}

/** The browser's error in our words; one of ours passes. */
export function translate(error: unknown, path: string): ErrnoError {
  const name = nameOf(error);
  if (name === "ErrnoError") return error as ErrnoError;
  if (name === "NotFoundError") return new ErrnoError("ENOENT", `open "${path}"`, { cause: error });
  if (name === "TypeMismatchError") {
    return new ErrnoError("EISDIR", `open "${path}"`, { cause: error });
  }
  if (name === "QuotaExceededError") {
    return new ErrnoError("ENOSPC", `open "${path}"`, { cause: error });
  }
  return refusedStorage(`open "${path}"`, error);
}
