/**
 * The one rule for names of extended attributes: which are invalid, and with which error each call says so.
 *
 * Layer: abi. FS, MEMFS, the volume and the kernel's adapter ask here; they differ in the namespaces that
 * they keep. The order is Linux's: the text, its length, the namespace, what comes after it.
 *
 * @module
 */
import type { ErrnoCode } from "./errno.ts";
import { utf8Length } from "./utf8.ts";

/** A name has from 1 to so many bytes. */
export const XATTR_NAME_MAX = 255;

/**
 * Why a name is invalid, or null: EILSEQ for half a character, ERANGE for none or too many bytes, EINVAL
 * for NUL, ENOTSUP for another namespace, EINVAL for a namespace and nothing after it. Without
 * `namespaces` any will do.
 */
export function xattrNameCode(name: string, namespaces?: readonly string[]): ErrnoCode | null {
  const size = utf8Length(name);
  if (size < 0) return "EILSEQ";
  if (size === 0 || size > XATTR_NAME_MAX) return "ERANGE";
  if (name.includes("\0")) return "EINVAL";
  const isKept = namespaces === undefined || namespaces.some((space) => name.startsWith(space));
  if (!isKept) return "ENOTSUP";
  return name.indexOf(".") === name.length - 1 ? "EINVAL" : null;
}
