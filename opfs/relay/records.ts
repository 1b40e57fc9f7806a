/**
 * The records that travel in a message: attributes, changes, entries, space, locks.
 *
 * Layer: relay, above `protocol.ts`; the cursors give each field its place. A record is written and
 * read here in one order, so neither side knows an offset.
 *
 * @module
 */
import type { Attr, AttrChange, DirEntry, StatFs } from "../../abi/attr.ts";
import { ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { isLink } from "../../abi/mode.ts";
import { fieldsOf } from "../../abi/options.ts";
import {
  type BlockingLock,
  CHANGE_FIELDS,
  CREATE_FIELDS,
  type CreateOptions,
  LOCK_FIELDS,
  type LockRequest,
  TMPFILE_FIELDS,
  type TmpfileOptions,
} from "../volume_ops.ts";
import { XATTR_NAME_MAX, xattrNameCode } from "../../abi/xattr_name.ts";
import type { Reader, Writer } from "./cursor.ts";

/** Bytes of an entry without its name. */
export const ENTRY_BYTES = 18;
/** Longest name, in bytes. */
export const MAX_NAME_BYTES = 255;

/** Bits of a change's mask, one for each field that it has. */
const Has = { MODE: 1, UID: 2, GID: 4, SIZE: 8, ATIME: 16, MTIME: 32 } as const;

/** Writes attributes: six numbers of 32 bits, then five doubles. */
export function writeAttr(writer: Writer, attr: Attr): void {
  invariant(attr.nlink >= 0 && attr.size >= 0, "R6: attributes are less than nothing");
  writer.u32(attr.ino).u32(attr.mode).u32(attr.nlink).u32(attr.uid).u32(attr.gid).u32(attr.rdev)
    .f64(attr.size).f64(attr.blocks).f64(attr.atime).f64(attr.mtime).f64(attr.ctime);
}

/** Reads what `writeAttr` wrote. */
export function readAttr(reader: Reader): Attr {
  return {
    ino: reader.u32(),
    mode: reader.u32(),
    nlink: reader.u32(),
    uid: reader.u32(),
    gid: reader.u32(),
    rdev: reader.u32(),
    size: reader.f64(),
    blocks: reader.f64(),
    atime: reader.f64(),
    mtime: reader.f64(),
    ctime: reader.f64(),
  };
}

/** Writes a change: a mask of its fields, then all six fields. */
export function writeChange(writer: Writer, change: AttrChange): void {
  const given = fieldsOf(change, CHANGE_FIELDS, "set attributes");
  const { mode, uid, gid, size, atime, mtime } = given;
  const mask = bit(mode, Has.MODE) | bit(uid, Has.UID) | bit(gid, Has.GID) |
    bit(size, Has.SIZE) | bit(atime, Has.ATIME) | bit(mtime, Has.MTIME);
  writer.u32(mask).u32(orZero(mode)).u32(orZero(uid)).u32(orZero(gid)).f64(orZero(size))
    .f64(orZero(atime)).f64(orZero(mtime));
}

/** Reads what `writeChange` wrote. */
export function readChange(reader: Reader): AttrChange {
  const mask = reader.u32();
  const change: AttrChange = {};
  const [mode, uid, gid] = [reader.u32(), reader.u32(), reader.u32()];
  const [size, atime, mtime] = [reader.f64(), reader.f64(), reader.f64()];
  if (mask & Has.MODE) change.mode = mode;
  if (mask & Has.UID) change.uid = uid;
  if (mask & Has.GID) change.gid = gid;
  if (mask & Has.SIZE) change.size = size;
  if (mask & Has.ATIME) change.atime = atime;
  if (mask & Has.MTIME) change.mtime = mtime;
  return change;
}

/** Writes the options of a new inode; a link's target goes to the end. */
export function writeCreateOptions(writer: Writer, options: CreateOptions): void {
  const given = fieldsOf(options, CREATE_FIELDS, "create a file");
  const { mode, uid, gid, rdev = 0, target = "" } = given;
  writer.u32(mode).u32(uid).u32(gid).u32(rdev);
  // Only a link has a target, but a target that is no text is always refused.
  writer.text(isLink(mode) || typeof target !== "string" ? target : "");
}

/** Reads what `writeCreateOptions` wrote. */
export function readCreateOptions(reader: Reader): CreateOptions {
  const options: CreateOptions = {
    mode: reader.u32(),
    uid: reader.u32(),
    gid: reader.u32(),
    rdev: reader.u32(),
  };
  const target = reader.text();
  return target === "" ? options : { ...options, target };
}

/** A flag of a file without a name: it never gets one. */
const NEVER_LINKED = 1;

/** Writes the options of a file without a name. */
export function writeTmpfileOptions(writer: Writer, options: TmpfileOptions): void {
  const given = fieldsOf(options, TMPFILE_FIELDS, "create a file");
  const { mode, uid, gid, isLinkable = true } = given;
  writer.u32(mode).u32(uid).u32(gid).u32(isLinkable ? 0 : NEVER_LINKED);
}

/** Reads what `writeTmpfileOptions` wrote. */
export function readTmpfileOptions(reader: Reader): TmpfileOptions {
  const [mode, uid, gid] = [reader.u32(), reader.u32(), reader.u32()];
  return { mode, uid, gid, isLinkable: (reader.u32() & NEVER_LINKED) === 0 };
}

/** An attribute's name. One that is too long for an area is refused with the engine's error. */
export function writeAttributeName(writer: Writer, name: string): Writer {
  if (typeof name === "string" && name.length > XATTR_NAME_MAX) {
    const code = xattrNameCode(name) ?? "ERANGE";
    throw new ErrnoError(code, `use an attribute of ${name.length} letters`);
  }
  return writer.path(name);
}

/** The mode of `allocate` for numbers of more than 32 bits: it is unknown, as they are. */
const UNKNOWN_MODE = 0xffffffff;

/** The mode of `allocate`, in 32 bits. */
export function writeAllocateMode(writer: Writer, mode: number): Writer {
  return writer.u32(Number.isInteger(mode) && mode >>> 0 !== mode ? UNKNOWN_MODE : mode);
}

/** Names of attributes as bytes, each followed by NUL. */
export function packNames(names: readonly string[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(names.map((name) => `${name}\0`).join(""));
}

/** The names that `packNames` has packed. */
export function unpackNames(bytes: Uint8Array<ArrayBuffer>): string[] {
  // A name may begin with what would be taken for a byte order mark.
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).split("\0").slice(0, -1);
}

/** Whether one more entry always fits into an area of `areaBytes`. */
export function entryFits(writer: Writer, areaBytes: number): boolean {
  return writer.at + ENTRY_BYTES + MAX_NAME_BYTES <= areaBytes;
}

/** Writes one entry: inode, mode, cursor, length of the name, name. */
export function writeEntry(writer: Writer, entry: DirEntry): void {
  const nameAt = writer.at + ENTRY_BYTES;
  writer.u32(entry.ino).u32(entry.mode).f64(entry.cursor).shortText(entry.name);
  const nameBytes = writer.at - nameAt;
  invariant(nameBytes > 0 && nameBytes <= MAX_NAME_BYTES, "R6: an entry has no such name");
}

/** Reads the entries of a whole answer. */
export function readEntries(reader: Reader): DirEntry[] {
  const entries: DirEntry[] = [];
  while (reader.at < reader.end) {
    const ino = reader.u32();
    const mode = reader.u32();
    const cursor = reader.f64();
    entries.push({ ino, mode, name: reader.shortText(), cursor });
  }
  if (entries.length !== reader.status) {
    throw new ErrnoError("EPROTO", "read a directory's entries");
  }
  return entries;
}

/** Writes space: five doubles. */
export function writeStatFs(writer: Writer, space: StatFs): void {
  invariant(space.freeBlocks <= space.blocks, "R6: more is free than there is");
  writer.f64(space.blockSize).f64(space.blocks).f64(space.freeBlocks).f64(space.inodes)
    .f64(space.freeInodes);
}

/** Reads what `writeStatFs` wrote. */
export function readStatFs(reader: Reader): StatFs {
  return {
    blockSize: reader.f64(),
    blocks: reader.f64(),
    freeBlocks: reader.f64(),
    inodes: reader.f64(),
    freeInodes: reader.f64(),
  };
}

/** Writes a request for a lock. */
export function writeLockRequest(writer: Writer, request: LockRequest): void {
  const { kind, owner, type, start, end, wait } = fieldsOf(request, LOCK_FIELDS, "lock");
  writer.u32(kind).u32(owner).u32(type).u32(wait ? 1 : 0).f64(start).f64(end);
}

/** Reads what `writeLockRequest` wrote. */
export function readLockRequest(reader: Reader): LockRequest {
  const [kind, owner, type, wait] = [reader.u32(), reader.u32(), reader.u32(), reader.u32()];
  return { kind, owner, type, wait: wait !== 0, start: reader.f64(), end: reader.f64() };
}

/** Writes the blocking lock. */
export function writeBlocking(writer: Writer, { type, start, end, owner }: BlockingLock): void {
  writer.u32(type).f64(start).f64(end).f64(owner);
}

/** Reads what `writeBlocking` wrote; null if no lock blocks. */
export function readBlocking(reader: Reader): BlockingLock | null {
  if (reader.dataBytes === 0) return null;
  const [type, start, end] = [reader.u32(), reader.f64(), reader.f64()];
  return { type, start, end, owner: reader.f64() };
}

/** A field that does not change; null is no number, and is refused as one. */
function orZero(value: number | undefined): number {
  return value === undefined ? 0 : value;
}

function bit(value: number | undefined, mask: number): number {
  return value === undefined ? 0 : mask;
}
