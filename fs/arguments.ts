/**
 * What callers hand in, looked at once: paths, names, numbers, bytes. Everything else in `fs/` may
 * trust what came through here.
 *
 * Layer: fs, at the bottom. A hostile argument becomes an ErrnoError and nothing else: EINVAL for
 * the wrong kind, ENAMETOOLONG and EILSEQ for strings that no disk could hold.
 *
 * @module
 */
import { Errno, type ErrnoCode, ErrnoError, isErrnoError } from "../abi/errno.ts";
import { FSNode } from "../abi/node.ts";
import { utf8Length } from "../abi/utf8.ts";

/** Longest name, in bytes of UTF-8. */
export const NAME_MAX = 255;
/** Longest path, in bytes of UTF-8 with the NUL that C puts after it. */
const PATH_MAX = 4096;
/** Longest chain of symbolic links that one walk follows. */
export const SYMLOOP_MAX = 40;

/** A UTF-16 unit is at most this many bytes of UTF-8. */
const BYTES_PER_UNIT = 3;

/** Throws the error of a call: `refuse("ENOENT", "open", path)`. */
export function refuse(code: ErrnoCode | number, call: string, subject?: unknown): never {
  throw new ErrnoError(code, subject === undefined ? call : `${call} ${quote(subject)}`);
}

/** Whatever it is, as a person would want to read it in a message. */
function quote(subject: unknown): string {
  if (typeof subject === "string") return JSON.stringify(subject);
  if (typeof subject === "number" || typeof subject === "bigint") return String(subject);
  return `a ${subject === null ? "null" : typeof subject}`;
}

/** A path of at least one character that fits. Its names are looked at when they are missed. */
export function checkPath(call: string, path: unknown): asserts path is string {
  if (typeof path !== "string") refuse("EINVAL", call, path);
  if (path.length === 0) refuse("ENOENT", call, path);
  if (path.length * BYTES_PER_UNIT >= PATH_MAX) checkPathLength(call, path);
}

function checkPathLength(call: string, path: string): void {
  if (path.length >= PATH_MAX) refuse("ENAMETOOLONG", call);
  const size = utf8Length(path);
  if (size < 0) refuse("EILSEQ", call, path);
  if (size >= PATH_MAX) refuse("ENAMETOOLONG", call);
}

/** One name, not yet known to exist. Slashes cannot be in it. */
export function checkName(call: string, name: string): void {
  const errno = nameErrno(name);
  if (errno !== 0) refuse(errno, call, name);
}

/** Why this cannot be a name, as an error number: EINVAL, EILSEQ, ENAMETOOLONG; else 0. */
export function nameErrno(name: string): number {
  if (name.length <= NAME_MAX && isPlain(name)) return 0;
  if (name.includes("\0")) return Errno.EINVAL;
  const size = utf8Length(name);
  if (size < 0) return Errno.EILSEQ;
  return size > NAME_MAX ? Errno.ENAMETOOLONG : 0;
}

/** ASCII without NUL: as many bytes as units. */
function isPlain(name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    const unit = name.charCodeAt(index);
    if (unit === 0 || unit > 0x7f) return false;
  }
  return true;
}

/** What a symbolic link is to hold. */
export function checkTarget(call: string, target: unknown): asserts target is string {
  checkPath(call, target);
  if (target.includes("\0")) refuse("EINVAL", call, target);
  if (utf8Length(target) < 0) refuse("EILSEQ", call, target);
}

/** A whole number that a double holds exactly. */
export function integer(value: unknown, call: string): number {
  if (!Number.isSafeInteger(value)) refuse("EINVAL", call, value);
  return value as number;
}

/** A length, offset or size in bytes: whole and not negative; EFBIG where no file can be so long. */
export function byteCount(value: unknown, call: string): number {
  if (typeof value === "number" && value > Number.MAX_SAFE_INTEGER) refuse("EFBIG", call, value);
  if (integer(value, call) < 0) refuse("EINVAL", call, value);
  return value as number;
}

/** What a caller's object says. Its getters, or a proxy, may throw: that is EINVAL. */
export function saidBy<T>(call: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw isErrnoError(error) ? error : new ErrnoError("EINVAL", call, { cause: error });
  }
}

/** A node, and not only something of its class. */
export function isNode(value: unknown): value is FSNode {
  return value instanceof FSNode && value.data !== undefined;
}

/** The bytes of any view, its own and no others. */
export function bytesOf(view: unknown, call: string): Uint8Array {
  if (view instanceof Uint8Array) return view;
  if (ArrayBuffer.isView(view)) {
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  }
  if (view instanceof ArrayBuffer) return view.detached ? new Uint8Array() : new Uint8Array(view);
  if (typeof SharedArrayBuffer !== "undefined" && view instanceof SharedArrayBuffer) {
    return new Uint8Array(view);
  }
  refuse("EINVAL", call, view);
}
