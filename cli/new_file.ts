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
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { ErrnoError } from "../mod.ts";
import { fileHandle } from "../opfs/mod.ts";

/** A file on its way. */
export interface NewFile {
  /** Where to write until it is kept. */
  readonly path: string;
  /** Makes it durable and gives it the name. */
  keep(): void;
  /** Removes it, unless it has been kept. */
  discard(): void;
}

/**
 * Begins a file that will be called `path`.
 *
 * @throws {ErrnoError} EEXIST if something other than an empty file is there, unless `force` is set;
 * EBUSY if it is a volume in use
 */
export function newFile(path: string, { force = false }: { force?: boolean } = {}): NewFile {
  refuseExisting(path, force);
  const temporary = `${path}.new-${process.pid}`;
  rmSync(temporary, { force: true });
  let isKept = false;
  return {
    path: temporary,
    keep(): void {
      syncPath(temporary);
      refuseExisting(path, force);
      renameSync(temporary, path);
      isKept = true;
      syncPath(dirname(path));
    },
    discard(): void {
      if (isKept) return;
      rmSync(temporary, { force: true });
      rmSync(`${temporary}.lock`, { force: true });
    },
  };
}

function refuseExisting(path: string, force: boolean): void {
  if (!existsSync(path)) return;
  const found = statSync(path);
  if (found.isDirectory()) throw new ErrnoError("EISDIR", "replace it: it is a directory");
  if (!force && (found.size > 0 || !found.isFile())) {
    throw new ErrnoError("EEXIST", "write it: there is something already");
  }
  // A volume that somebody works on is locked: EBUSY says who.
  if (found.isFile()) fileHandle(path, { create: false }).close();
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
