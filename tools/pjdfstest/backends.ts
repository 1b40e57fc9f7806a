/**
 * What the suite can be run on. The file systems are reached by computed paths, since tools stand
 * outside of the source they test.
 *
 * @module
 */
import type { FileSystemUnderTest } from "./session.ts";

/** A file system that was made for one script. */
export interface MadeFileSystem {
  /** Its calls. */
  FS: FileSystemUnderTest;
  /** Lets go of what it holds. */
  close?(): unknown;
}

/** Something to run the suite on. */
export interface BackendUnderTest {
  /** For the report. */
  name: string;
  /** A fresh one whose time is `clock`. */
  make(clock: () => number): Promise<MadeFileSystem>;
}

async function source(path: string): Promise<FileSystemUnderTest> {
  return await import(new URL(`../../${path}`, import.meta.url).href);
}

const memfs: BackendUnderTest = {
  name: "MEMFS",
  async make(clock) {
    const { createFS } = await source("mod.ts");
    const { MEMFS } = await source("mod.ts");
    const root = { type: MEMFS, options: { clock } };
    return { FS: createFS({ clock, root }) };
  },
};

const volume: BackendUnderTest = {
  name: "VOLUMEFS, direct",
  async make(clock) {
    const { createFS, VOLUMEFS, openVolumeSync, memoryHandle } = await source("mod.ts");
    const held = openVolumeSync(memoryHandle(), { clock });
    const FS = createFS({ clock, root: { type: VOLUMEFS, options: { volume: held } } });
    return { FS, close: () => held.close() };
  },
};

/** Backends by the word behind `--backend`. */
export const BACKENDS: Readonly<Record<string, BackendUnderTest>> = { memfs, volume };
