/**
 * Volumes inside compiled C programs: a filesystem type for stock Emscripten modules.
 *
 * Layer: adapters (`@cairn/fs/adapters/emscripten`). A program that emcc linked with
 * `-sEXPORTED_RUNTIME_METHODS=FS` mounts a volume in `preRun` and then reads and writes it by plain
 * POSIX calls. Releases from 3.1.6 to the newest are spoken to; the module keeps its own names and
 * descriptors, so what its own layer does differently from POSIX stays; tests/programs/deviations.ts
 * has the list for 3.1.6. `fsync` makes a file durable; `fdatasync` never leaves the module, which
 * answers it alone.
 *
 * ```ts ignore
 * import { openVolume } from "@cairn/fs";
 * import { mountVolume } from "@cairn/fs/adapters/emscripten";
 * import createProgram from "./program.js";
 *
 * const volume = await openVolume("notes");
 * await createProgram({ preRun: [(module) => mountVolume(module, volume, "/data")] });
 * ```
 *
 * @module
 */
import type { VolumeOps } from "../mod.ts";
import {
  type EmscriptenError,
  type EmscriptenFS,
  type EmscriptenMount,
  type EmscriptenNode,
  type EmscriptenType,
  hostError,
} from "./emscripten/host.ts";
import { MountedVolume } from "./emscripten/nodes.ts";

export type {
  EmscriptenError,
  EmscriptenFS,
  EmscriptenMap,
  EmscriptenMount,
  EmscriptenNode,
  EmscriptenStream,
  EmscriptenType,
  MemoryType,
} from "./emscripten/host.ts";

/** What {@link emscriptenType} takes. */
export interface EmscriptenTypeOptions {
  /** The volume. Several mounts, of this module or others, may share one. */
  volume: VolumeOps;
  /**
   * The module that `FS` belongs to. Releases up to 3.1 do not say which map an msync is about: then
   * the module's memory decides, and without it such an msync is EINVAL.
   */
  module?: EmscriptenModule;
}

/** A module as `preRun` gets it, or as its factory returned it. */
export interface EmscriptenModule {
  /** The module's filesystem, there if FS was exported when it was linked. */
  FS: EmscriptenFS;
  /** The module's memory, where it is exported; it is another object after the memory has grown. */
  HEAPU8?: Uint8Array;
}

/** How many volumes each module has mounted: the number is part of every inode number it sees. */
const mounts = new WeakMap<EmscriptenFS, number>();

function nextNumber(FS: EmscriptenFS): number {
  const number = (mounts.get(FS) ?? 0) + 1;
  mounts.set(FS, number);
  return number;
}

/**
 * A volume as a filesystem type of the module that `FS` belongs to: an object for `FS.mount`.
 * Every failure of it is an error of that module's own class.
 *
 * @example
 * ```ts
 * import { memoryHandle, openVolumeSync } from "@cairn/fs";
 * import { emscriptenType } from "@cairn/fs/adapters/emscripten";
 * import { assertEquals } from "@std/assert";
 * // @ts-types="../examples/wasm_c/notes.d.ts"
 * import createProgram from "../examples/wasm_c/notes.js";
 *
 * const volume = openVolumeSync(memoryHandle());
 * const { FS } = await createProgram({ noInitialRun: true });
 * FS.mkdirTree("/work/data");
 * FS.mount(emscriptenType(FS, { volume }), {}, "/work/data");
 * FS.mkdirTree("/work/data/inner");
 * assertEquals(volume.getattr(volume.lookup(volume.root, "inner")).nlink, 2);
 * ```
 */
export function emscriptenType(FS: EmscriptenFS, options: EmscriptenTypeOptions): EmscriptenType {
  const { volume, module } = options;
  checkMembers(FS);
  return {
    mount(_mount: EmscriptenMount): EmscriptenNode {
      try {
        return new MountedVolume(FS, volume, nextNumber(FS), () => heapOf(module)).root();
      } catch (error) {
        throw hostError(FS, error);
      }
    },
    syncfs(_mount, populate, callback): void {
      callback(populate ? null : sync(FS, volume));
    },
  };
}

/** Read as a property only: the getter that assertions put in the place of one ends the program. */
function heapOf(module: EmscriptenModule | undefined): Uint8Array | null {
  if (module === undefined) return null;
  const heap: unknown = Object.getOwnPropertyDescriptor(module, "HEAPU8")?.value;
  return heap instanceof Uint8Array ? heap : null;
}

/** Everything that a mounted volume asks of FS, by what it has to be. */
const MEMBERS: Readonly<Record<string, "function" | "object">> = {
  ErrnoError: "function",
  FSNode: "function",
  chrdev_stream_ops: "object",
  closeStream: "function",
  getDevice: "function",
  hashAddNode: "function",
  hashRemoveNode: "function",
  lookupPath: "function",
  mkdirTree: "function",
  mount: "function",
  root: "object",
  streams: "object",
  utime: "function",
};

/** Says what is wrong with a program's FS before anything of it is touched. */
function checkMembers(FS: EmscriptenFS): void {
  const there = FS as unknown as Record<string, unknown> | null | undefined;
  if (typeof there !== "object" || there === null) {
    throw new TypeError("cannot mount: link the program with -sEXPORTED_RUNTIME_METHODS=FS");
  }
  const missing = Object.entries(MEMBERS).filter(([name, type]) => !hasType(there, name, type));
  if (missing.length === 0) return;
  const names = missing.map(([name]) => `FS.${name}`).join(", ");
  throw new TypeError(
    `cannot mount: this program's FS has no ${names}; it may be minified: link it without --closure`,
  );
}

function hasType(there: Record<string, unknown>, name: string, type: string): boolean {
  return typeof there[name] === type && there[name] !== null;
}

function sync(FS: EmscriptenFS, volume: VolumeOps): EmscriptenError | null {
  try {
    volume.sync();
    return null;
  } catch (error) {
    return hostError(FS, error);
  }
}

/**
 * Mounts a volume in a module, making the directory if it is missing: all that a `preRun` needs.
 * The module's own root is in place before any `preRun`, so `"/"` is EBUSY.
 *
 * @throws {TypeError} if the module was linked without FS among its exported methods, or FS lacks what
 * a volume needs, as after minification
 * @throws {EmscriptenError} EBUSY for a directory that is a mount already
 * @example
 * ```ts
 * import { memoryHandle, openVolumeSync } from "@cairn/fs";
 * import { mountVolume } from "@cairn/fs/adapters/emscripten";
 * import { assert } from "@std/assert";
 * // @ts-types="../examples/wasm_c/notes.d.ts"
 * import createProgram from "../examples/wasm_c/notes.js";
 *
 * const volume = openVolumeSync(memoryHandle());
 * await createProgram({
 *   preRun: [(module) => mountVolume(module, volume, "/data")],
 *   print: () => {},
 * });
 * assert(volume.lookup(volume.root, "notebook.txt") !== 0, "the program wrote its file");
 * ```
 */
export function mountVolume(module: EmscriptenModule, volume: VolumeOps, directory: string): void {
  const { FS } = module;
  const type = emscriptenType(FS, { volume, module });
  FS.mkdirTree(directory);
  FS.mount(type, {}, directory);
}
