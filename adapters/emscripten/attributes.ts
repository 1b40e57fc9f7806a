/**
 * Attributes as a stock Emscripten module has them, and ours.
 *
 * Layer: adapters. Pure: no module and no volume in sight. Emscripten's stat has Dates, shows every
 * directory as one block, and counts blocks in units of 4096 bytes, as its own test programs demand.
 *
 * @module
 */
import {
  type Attr,
  type AttrChange,
  isDir,
  PERMISSION_BITS,
  S_IFMT,
  type StatFs,
} from "../../mod.ts";

/** What the module passes to setattr: times in ms, null to leave; one time only before 3.1.74. */
export interface HostAttrChange {
  /** File type and permission bits. */
  mode?: number | null;
  /** New length in bytes. */
  size?: number | null;
  /** Last read. */
  atime?: number | null;
  /** Last change of contents. */
  mtime?: number | null;
  /** "Now" beside a mode or size; what utime was given where there is one time only. */
  timestamp?: number | null;
}

/** What the module's stat returns. */
export interface HostAttr extends Omit<Attr, "atime" | "mtime" | "ctime"> {
  /** Which mount, so that (dev, ino) is unique in the module. */
  dev: number;
  /** Bytes of one block. */
  blksize: number;
  /** Last read. */
  atime: Date;
  /** Last change of contents. */
  mtime: Date;
  /** Last change of anything. */
  ctime: Date;
}

const BLOCK_BYTES = 4096;

/** Attributes in the module's shape, under the numbers by which the module knows the inode. */
export function hostAttr(attr: Attr, { dev, ino }: { dev: number; ino: number }): HostAttr {
  const isDirectory = isDir(attr.mode);
  return {
    ...attr,
    dev,
    ino,
    size: isDirectory ? BLOCK_BYTES : attr.size,
    blksize: BLOCK_BYTES,
    blocks: isDirectory ? 1 : Math.ceil(attr.blocks * 512 / BLOCK_BYTES),
    atime: new Date(attr.atime),
    mtime: new Date(attr.mtime),
    ctime: new Date(attr.ctime),
  };
}

/**
 * A change in our shape. `oldMode` gives the file type, which chmod never touches; `hasOneTime` says
 * that this module's utime sends nothing but a timestamp. Elsewhere a lone timestamp is chown's.
 */
export function attrChange(
  attr: HostAttrChange,
  { oldMode, hasOneTime }: { oldMode: number; hasOneTime: boolean },
): AttrChange {
  const { mode, size, atime, mtime, timestamp } = attr;
  const change: AttrChange = {};
  if (mode != null) change.mode = mode & PERMISSION_BITS | oldMode & S_IFMT;
  if (size != null) change.size = size;
  if (atime != null) change.atime = Number(atime);
  if (mtime != null) change.mtime = Number(mtime);
  const isUtime = hasOneTime && mode == null && size == null;
  if (isUtime && timestamp != null) change.atime = change.mtime = timestamp;
  return change;
}

/** Space in the module's shape; what is absent keeps the module's own value. */
export function hostStatFs(space: StatFs): object {
  const { blockSize, blocks, freeBlocks, inodes, freeInodes } = space;
  return {
    bsize: blockSize,
    frsize: blockSize,
    blocks,
    bfree: freeBlocks,
    bavail: freeBlocks,
    files: inodes,
    ffree: freeInodes,
    namelen: 255,
  };
}
