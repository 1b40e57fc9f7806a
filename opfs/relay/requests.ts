/**
 * Requests: what each call of VolumeOps puts into the area, and what it takes out of the answer.
 *
 * Layer: relay. The synchronous client and the promises speak through the same functions;
 * `dispatch.ts` takes the same values in the same order on the other side.
 *
 * @module
 */
import type { AttrChange } from "../../abi/attr.ts";
import { requireBytes } from "../../abi/bytes.ts";
import { codeOf, ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import type { Appended } from "../../abi/node.ts";
import type { CreateOptions, Ino, TmpfileOptions } from "../volume_ops.ts";
import type { Reader, Writer } from "./cursor.ts";
import { type ChannelMemory, FLAG_QUIET, MAX_TRANSFER_BYTES, Op, type OpName } from "./protocol.ts";
import { writeChange, writeCreateOptions, writeTmpfileOptions } from "./records.ts";
import { readValues } from "./s11n.ts";

/** Names by number, for messages and counters. */
export const OP_NAMES: ReadonlyMap<number, OpName> = new Map(
  Object.entries(Op).map(([name, op]) => [op, name as OpName]),
);

const ACTIONS: readonly string[] = Array.from(
  { length: Op.STATS + 1 },
  (_, op) => `finish "${OP_NAMES.get(op)?.toLowerCase() ?? op}"`,
);

/** What an operation is called in an error of its own transport. */
export function actionOf(op: number): string {
  return ACTIONS[op] ?? "finish a call";
}

/** A request about one name in a directory. */
export function askName(writer: Writer, op: number, parent: Ino, name: string): void {
  writer.begin(op).path(name).ino(parent);
}

/** A request about one inode. */
export function askIno(writer: Writer, op: number, ino: Ino): void {
  writer.begin(op).ino(ino);
}

/** CREATE. */
export function askCreate(
  writer: Writer,
  parent: Ino,
  name: string,
  options: CreateOptions,
): void {
  writeCreateOptions(writer.begin(Op.CREATE).path(name).ino(parent), options);
}

/** TMPFILE. */
export function askTmpfile(writer: Writer, parent: Ino, options: TmpfileOptions): void {
  writeTmpfileOptions(writer.begin(Op.TMPFILE).ino(parent), options);
}

/** SEEK. */
export function askSeek(writer: Writer, ino: Ino, at: number, whence: number): void {
  writer.begin(Op.SEEK).ino(ino).f64(at).u32(whence);
}

/** A range of a file, and what is done with it. */
export interface AllocateRange {
  /** 0 or FALLOC_FL_*. */
  mode: number;
  /** First byte. */
  at: number;
  /** How many. */
  length: number;
}

/** ALLOCATE. */
export function askAllocate(writer: Writer, ino: Ino, { mode, at, length }: AllocateRange): void {
  writer.begin(Op.ALLOCATE).ino(ino).u32(mode).f64(at).f64(length);
}

/** Longest value of an extended attribute, and longest list of their names, in bytes. */
export const XATTR_BYTES_MAX = 65_536;

/** GETXATTR, REMOVEXATTR. */
export function askXattr(writer: Writer, op: number, ino: Ino, name: string): void {
  writer.begin(op).path(name).ino(ino);
}

/** What an extended attribute is set to. */
export interface NewXattr {
  /** The name. */
  name: string;
  /** The value. */
  value: Uint8Array;
  /** 0, XATTR_CREATE or XATTR_REPLACE. */
  flags: number;
}

/**
 * SETXATTR. Returns the value, which goes behind it.
 *
 * @throws {ErrnoError} E2BIG
 */
export function askSetxattr(
  writer: Writer,
  ino: Ino,
  { name, value, flags }: NewXattr,
): Uint8Array {
  requireBytes(value);
  if (value.length > XATTR_BYTES_MAX) {
    throw new ErrnoError("E2BIG", `set an attribute of ${value.length} bytes`);
  }
  writer.begin(Op.SETXATTR).path(name).ino(ino).u32(flags);
  return value;
}

/** LINK. */
export function askLink(writer: Writer, ino: Ino, parent: Ino, name: string): void {
  writer.begin(Op.LINK).path(name).ino(ino).ino(parent);
}

/** The two names of a rename. */
export interface Move {
  /** Directory of the old name. */
  parent: Ino;
  /** The old name. */
  name: string;
  /** Directory of the new name. */
  newParent: Ino;
  /** The new name. */
  newName: string;
  /** 0, RENAME_NOREPLACE or RENAME_EXCHANGE. */
  flags: number;
}

/** RENAME: the new name goes to the end of the data. */
export function askRename(writer: Writer, move: Move): void {
  writer.begin(Op.RENAME).path(move.name).ino(move.parent).ino(move.newParent).u32(move.flags)
    .text(move.newName);
}

/** READDIR. */
export function askReaddir(writer: Writer, ino: Ino, after: number): void {
  writer.begin(Op.READDIR).ino(ino).f64(after);
}

/** SETATTR. */
export function askSetattr(writer: Writer, ino: Ino, change: AttrChange): void {
  writeChange(writer.begin(Op.SETATTR).ino(ino), change);
}

/** READ, of `more` bytes beyond the buffer's. Returns the part of the buffer that one request can fill. */
export function askRead(
  writer: Writer,
  ino: Ino,
  into: Uint8Array,
  at: number,
  isQuiet = false,
  more = 0,
): Uint8Array {
  requireBytes(into);
  const piece = into.length <= MAX_TRANSFER_BYTES ? into : into.subarray(0, MAX_TRANSFER_BYTES);
  const flags = isQuiet ? FLAG_QUIET : 0;
  writer.begin(Op.READ, flags).ino(ino).f64(at).u32(piece.length + more);
  return piece;
}

/** WRITE. Returns the part of the buffer that one request can carry. */
export function askWrite(writer: Writer, ino: Ino, from: Uint8Array, at: number): Uint8Array {
  requireBytes(from);
  writer.begin(Op.WRITE).ino(ino).f64(at);
  return from.length <= MAX_TRANSFER_BYTES ? from : from.subarray(0, MAX_TRANSFER_BYTES);
}

/** APPEND. Returns the part of the buffer that one request can carry. */
export function askAppend(writer: Writer, ino: Ino, from: Uint8Array): Uint8Array {
  requireBytes(from);
  writer.begin(Op.APPEND).ino(ino);
  return from.length <= MAX_TRANSFER_BYTES ? from : from.subarray(0, MAX_TRANSFER_BYTES);
}

/** What APPEND has answered to a request with those bytes. */
export function readAppended(reader: Reader, from: Uint8Array): Appended {
  const appended = { at: reader.f64(), count: reader.u32() };
  invariant(appended.count <= from.length, "R3: more is appended than was sent");
  return appended;
}

/** Throws what the relay has thrown; its text travels as one s11n string. */
export function throwAnswered(reader: Reader, memory: ChannelMemory): void {
  if (reader.status >= 0) return;
  const code = codeOf(-reader.status);
  const [text] = readValues(memory.area, reader);
  const message = typeof text === "string" ? text : code;
  const prefix = `${code}: cannot `;
  const action = message.startsWith(prefix) ? message.slice(prefix.length) : message;
  throw new ErrnoError(code, action);
}
