/**
 * The words that all layers speak: error numbers, modes, flags, attributes, nodes, streams, op tables.
 *
 * Import this to write a backend or an adapter; programs need only the package's main entry.
 *
 * @example
 * ```ts
 * import { ErrnoError, isDir, O_CREAT, O_RDWR } from "@cairn/fs/abi";
 * import { assert, assertEquals } from "@std/assert";
 *
 * assertEquals(O_RDWR | O_CREAT, 0o102);
 * assert(isDir(0o040755));
 * assertEquals(new ErrnoError("EBADF").errno, 8);
 * ```
 *
 * @module
 */
export * from "./attr.ts";
export * from "./credentials.ts";
export * from "./cursor_listing.ts";
export { type DescribedError, describeError, restoreError } from "./described.ts";
export * from "./errno.ts";
export * from "./flags.ts";
export * from "./invariant.ts";
export * from "./locks.ts";
export * from "./mode.ts";
export * from "./node.ts";
export * from "./path_calls.ts";
export { codeOfHost, messageOf } from "./thrown.ts";
export { highWord, joinWords, lowWord, shownIno } from "./words.ts";
export * from "./xattr_name.ts";
