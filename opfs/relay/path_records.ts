/**
 * The records of whole-path operations, as docs/PROTOCOL.md has them: packed, without alignment.
 *
 * Layer: relay, beside `records.ts`.
 *
 * @module
 */
import type { StatFs } from "../../abi/attr.ts";
import { isDir, isFile, isLink } from "../../abi/mode.ts";
import type { PathStat } from "../../abi/path_calls.ts";
import type { Writer } from "./cursor.ts";

/** "VFS!", the first word of STATFS: the magic of the images. */
const STATFS_MAGIC = 0x56465321;
const U32_MAX = 0xffffffff;

/** The kind of an inode in a stat record and in READDIR: 1 file, 2 directory, 3 link, 0 another. */
export function kindOf(mode: number): number {
  return isFile(mode) ? 1 : isDir(mode) ? 2 : isLink(mode) ? 3 : 0;
}

/** Writes kind, mode, size, mtime, ctime, atime, uid, gid, inode, nlink: 53 bytes. */
export function writePathStat(writer: Writer, stat: PathStat): void {
  writer.u8(kindOf(stat.mode)).u32(stat.mode).f64(stat.size).f64(stat.mtimeMs).f64(stat.ctimeMs)
    .f64(stat.atimeMs).u32(stat.uid).u32(stat.gid).u32(stat.ino).u32(stat.nlink);
}

/** Writes magic, blockSize, blocks, free blocks, inodes, free inodes: six numbers of 32 bits. */
export function writePathStatFs(writer: Writer, space: StatFs): void {
  writer.u32(STATFS_MAGIC);
  const { blockSize, blocks, freeBlocks, inodes, freeInodes } = space;
  for (const value of [blockSize, blocks, freeBlocks, inodes, freeInodes]) {
    writer.u32(Math.min(value, U32_MAX));
  }
}
