/**
 * What the suite can be run on. The file systems are reached by computed paths, since tools stand
 * outside of the source they test.
 *
 * @module
 */
import type { FileSystemUnderTest, SessionUnderTest } from "./session.ts";

/** A file system that was made for one script: its calls, or who makes them far away. */
export interface MadeFileSystem {
  /** Its calls. */
  FS?: FileSystemUnderTest;
  /** Who makes them, if not a session of the driver's own. */
  session?: SessionUnderTest;
  /** Called before each command, for time has passed. */
  tick?(): void;
  /** Lets go of what it holds. */
  close?(): unknown;
}

/** Something to run the suite on. */
export interface BackendUnderTest {
  /** For the report. */
  name: string;
  /** How many there may be at once. Default as many as are asked for. */
  maxJobs?: number;
  /** A fresh one whose time is `clock`. */
  make(clock: () => number): Promise<MadeFileSystem>;
  /** After the last one. */
  dispose?(): Promise<void>;
}

async function source(path: string): Promise<FileSystemUnderTest> {
  return await import(new URL(`../../${path}`, import.meta.url).href);
}

const memfs: BackendUnderTest = {
  name: "MEMFS",
  async make(clock) {
    const { createFS, MEMFS } = await source("mod.ts");
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

/** The rig of the conformance suite: a volume in a worker, and a client that waits for it. */
const RELAY_RIG = "tests/support/relayed_volume.ts";

const relay: BackendUnderTest = {
  name: "VOLUMEFS, relayed",
  maxJobs: 1, // the rig keeps one worker for the next instance
  async make(clock) {
    const { createFS, VOLUMEFS } = await source("mod.ts");
    const { RelayedVolume } = await source(RELAY_RIG);
    const relayed = await RelayedVolume.open({ limitBytes: 0, clock });
    const root = { type: VOLUMEFS, options: { volume: relayed.client } };
    return {
      FS: createFS({ clock, root }),
      tick: () => relayed.tick(),
      close: () => relayed.close(),
    };
  },
  async dispose() {
    const { RelayedVolume } = await source(RELAY_RIG);
    RelayedVolume.dispose();
  },
};

/** Backends by the word after `--backend`. */
export const BACKENDS: Readonly<Record<string, BackendUnderTest>> = { memfs, volume, relay };
