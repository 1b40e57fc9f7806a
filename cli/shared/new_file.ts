/**
 * A host file that comes into being whole or not at all.
 *
 * Layer: cli. It is written under a name of its own beside the wanted one, made durable, and then
 * takes the name in one step; whatever goes wrong before, what stood there stays. Use:
 *
 *     const file = newFile(path, { force });
 *     try { write(file.path); file.keep(); } finally { file.discard(); }
 *
 * @module
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { codeOfHost, ErrnoError } from "../../mod.ts";
import { fileHandle } from "../../opfs/mod.ts";
import { UsageError } from "./verb.ts";

/** A file on its way. */
export interface NewFile {
  /** Where to write until it is kept. */
  readonly path: string;
  /** Makes it durable and gives it the name, with the owner and the permissions of what had it. */
  keep(options?: KeepOptions): void;
  /** Removes it, unless it has been kept. */
  discard(): void;
}

/** How a file is kept. */
export interface KeepOptions {
  /** Its permissions; default those of what it replaces, else what new files have. */
  mode?: number;
}

/**
 * Begins a file that will be called `path`.
 *
 * @throws {ErrnoError} EEXIST if something other than an empty file is there, unless `force` is set;
 * EBUSY if it is a volume in use
 */
export function newFile(path: string, { force = false }: { force?: boolean } = {}): NewFile {
  if (path === "-") {
    throw new UsageError('"-" is no name here: write "./-" for a file of that name');
  }
  held(path, force)?.close();
  requireReplaceable(path);
  // Of a link what it leads to is replaced: that is what is held, and what other names lead to.
  const real = statSync(path, { throwIfNoEntry: false }) === undefined ? path : realpathSync(path);
  const temporary = makeTemporary(real, "new");
  let isKept = false;
  return {
    path: temporary,
    keep({ mode }: KeepOptions = {}): void {
      // The old file is locked until it is replaced: no process begins to write to it before.
      const old = held(real, force);
      try {
        if (old === null) chmodSync(temporary, mode ?? NEW_MODE & ~process.umask());
        else copyOwnerAndMode(temporary, statSync(real), mode);
        syncPath(temporary);
        if (old === null) nameIt(temporary, real);
        else renameSync(temporary, real);
      } finally {
        old?.close();
      }
      isKept = true;
      syncPath(dirname(real));
    },
    discard(): void {
      if (!isKept) rmSync(temporary, { force: true });
    },
  };
}

/** Where the folder is sticky, as /tmp is, only its owner and the file's may replace a file. */
function requireReplaceable(path: string): void {
  const uid = process.geteuid?.() ?? 0;
  const found = statSync(path, { throwIfNoEntry: false });
  if (uid === 0 || found === undefined || found.uid === uid) return;
  const folder = statSync(dirname(realpathSync(path)));
  if ((folder.mode & STICKY) === 0 || folder.uid === uid) return;
  const why = "another user owns it, and in this folder only its owner may do that";
  throw new ErrnoError("EPERM", "replace it", { why });
}

const STICKY = 0o1000;

/** What new files have, before the user's mask. */
const NEW_MODE = 0o666;
/** No other user may read it until it is whole. */
const OWN_MODE = 0o600;

/** Gives a replacement the owner and permissions of the file: a private file stays private. */
export function copyOwnerAndMode(path: string, { mode, uid, gid }: Stats, given?: number): void {
  const own = statSync(path);
  let isGiven = own.uid === uid && own.gid === gid;
  try {
    if (!isGiven) chownSync(path, uid, gid);
    isGiven = true;
  } catch (error) {
    if (codeOfHost(error) !== "EPERM") throw error;
  }
  // Another group than before may do what all may.
  const bits = isGiven || own.gid === gid ? mode : (mode & ~0o070) | (mode & 0o007) << 3;
  chmodSync(path, (given ?? bits) & 0o777);
}

/**
 * Makes something beside that place, `PATH.WORD-…`, an empty file unless `make` makes another thing:
 * what lies there already is another's.
 */
export function makeTemporary(
  path: string,
  word: string,
  make: (temporary: string) => void = makeFile,
): string {
  for (let number = 0;; number++) {
    const temporary = `${path}.${word}-${process.pid}${number === 0 ? "" : `-${number}`}`;
    try {
      make(temporary);
      return temporary;
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EEXIST") throw error;
    }
  }
}

function makeFile(path: string): void {
  closeSync(openSync(path, "wx", OWN_MODE));
}

/** Gives a name that no file has. A file that got the name in the meantime keeps it: EEXIST. */
function nameIt(temporary: string, path: string): void {
  try {
    linkSync(temporary, path);
  } catch (error) {
    if ((error as { code?: unknown }).code === "EEXIST") refuse("EEXIST", TAKEN);
    // A filesystem that knows no second names.
    renameSync(temporary, path);
    return;
  }
  rmSync(temporary, { force: true });
}

const TAKEN = "write it: there is something already";

function refuse(code: "EEXIST" | "EISDIR", action: string): never {
  throw new ErrnoError(code, action);
}

/** What may be replaced, locked; null if nothing is there. */
function held(path: string, force: boolean): { close(): void } | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (found.isDirectory()) refuse("EISDIR", "replace it: it is a directory");
  // Who writes to /dev/null by that name must find it there afterwards.
  if (!found.isFile()) refuse("EEXIST", "replace it: it is no file");
  if (!force && found.size > 0) refuse("EEXIST", TAKEN);
  // A volume that another works on is locked: EBUSY says who.
  return fileHandle(path, { create: false });
}

/** Makes a file, or the names in a directory, durable. */
function syncPath(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
