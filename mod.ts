/**
 * Cairn: the POSIX filesystem for the web platform.
 *
 * `createFS()` makes a namespace with Emscripten's names and POSIX's behaviour; `openVolume()` opens a
 * volume that persists, and `FS.mount(VOLUMEFS, { volume }, path)` joins the two.
 *
 * @example
 * ```ts
 * import { createFS } from "@cairn/fs";
 * import { assertEquals } from "@std/assert";
 *
 * const FS = createFS(); // "/" is MEMFS
 * FS.mkdir("/notes");
 * FS.writeFile("/notes/a.txt", "kept");
 * assertEquals(FS.stat("/notes/a.txt").size, 4);
 * ```
 *
 * @module
 */
export * from "./abi/mod.ts";
export { createFS, type FSOptions, type RootOptions } from "./fs/create_fs.ts";
export * from "./fs/mod.ts";
export {
  type ByteInput,
  type ByteOutput,
  DEVFS,
  type DevfsOptions,
  type TerminalOptions,
} from "./node_ops/devfs.ts";
export { type AtimePolicy, MEMFS, type MemfsOptions } from "./node_ops/memfs.ts";
export { PROCFS, type ProcfsOptions, type ProcfsRecord } from "./node_ops/procfs.ts";
export { PROXYFS, type ProxyFsOptions, type ProxyRecord } from "./node_ops/proxyfs.ts";
export { readOnly } from "./node_ops/readonly.ts";
export { VOLUMEFS, type VolumeFsOptions, type VolumeRecord } from "./node_ops/volume.ts";
export * from "./opfs/mod.ts";
