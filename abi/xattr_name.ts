/**
 * The one rule for names of extended attributes: which are invalid, with which error each call says so,
 * and which namespaces are kept where.
 *
 * Layer: abi. FS, MEMFS, the volume, the relay and the kernel's adapter ask here; they differ in the
 * namespaces that they keep. The order is Linux's: the text, its length, the namespace, what comes after
 * it. To let FS or a mount keep one more namespace, add it to its list here.
 *
 * @module
 */
import type { ErrnoCode } from "./errno.ts";
import { utf8Length } from "./utf8.ts";

/** A name has from 1 to so many bytes. */
export const XATTR_NAME_MAX = 255;
/** A value has up to so many bytes, and the names of one file together, too. */
export const XATTR_VALUE_MAX = 65_536;

/** What a mount lists for root alone, as the kernel's own file systems do. */
export const TRUSTED_NAMESPACE = "trusted.";
/** What FS and its backends keep: without a kernel the other namespaces mean nothing. */
export const FS_NAMESPACES: readonly string[] = ["user."];
/**
 * What a mount keeps. Not `system.`: access control lists stand there, and one that was kept without
 * being heeded would be a lie. A volume keeps any, for those who set them know what they mean.
 */
export const MOUNT_NAMESPACES: readonly string[] = ["user.", "security.", TRUSTED_NAMESPACE];

/** Why no attribute has this name, or null: EILSEQ for half a character, ERANGE for none or too many bytes, EINVAL for NUL. */
export function xattrTextCode(name: string): ErrnoCode | null {
  const size = utf8Length(name);
  if (size < 0) return "EILSEQ";
  if (size === 0 || size > XATTR_NAME_MAX) return "ERANGE";
  return name.includes("\0") ? "EINVAL" : null;
}

/**
 * Why a name may not be used, or null: what `xattrTextCode` says, ENOTSUP for a namespace that is not
 * among `namespaces` (without them any will do), EINVAL for a namespace and nothing after it.
 */
export function xattrNameCode(name: string, namespaces?: readonly string[]): ErrnoCode | null {
  const code = xattrTextCode(name);
  if (code !== null) return code;
  const isKept = namespaces === undefined || namespaces.some((space) => name.startsWith(space));
  if (!isKept) return "ENOTSUP";
  return name.indexOf(".") === name.length - 1 ? "EINVAL" : null;
}
