/**
 * Compacting in a browser, as a function that stands alone: see `volume_scenarios.ts`.
 *
 * @module
 */
import type { Scene } from "./volume_scenarios.ts";

type Cairn = typeof import("../../mod.ts");

/** What {@link compactInUse} saw. */
export interface Compacted {
  steps: number;
  isForward: boolean;
  /** Blocks before and after. */
  blocks: [number, number];
  cutBlocks: number;
  /** Files that were made between the steps. */
  made: number;
  isWhole: boolean;
  ended: string;
}

/** Compacts a volume that is half empty, by promises, while files are made; and ends it once early. */
export async function compactInUse(scene: Scene): Promise<Compacted> {
  const { openVolume } = await import(scene.cairn) as Cairn;
  const { name, access, blocking } = scene;
  const volume = await openVolume({ name, access, blocking });
  const { promises, root } = volume;
  const file = { mode: 0o100644, uid: 0, gid: 0 };
  const length = 5_000_000;
  for (const value of [1, 2]) {
    const ino = await promises.create(root, `f${value}`, file);
    await promises.write(ino, new Uint8Array(length).fill(value), 0);
  }
  await promises.unlink(root, "f1");
  await promises.sync();
  const control = new AbortController();
  const { signal } = control;
  const early = volume.compact({ onProgress: () => control.abort(new Error("enough")), signal });
  const ended = await early.then(() => "not", (error) => (error as Error).message);
  const before = Number((await volume.stats()).blocks);
  const shares: number[] = [];
  const making: Promise<number>[] = [];
  const { cutBlocks } = await volume.compact({
    onProgress({ doneBytes, totalBytes }) {
      shares.push(doneBytes / totalBytes);
      making.push(promises.create(root, `m${shares.length}`, file));
    },
  });
  const made = (await Promise.all(making)).filter((ino) => ino > 0).length;
  const into = new Uint8Array(length);
  await promises.read(await promises.lookup(root, "f2"), into, 0);
  const after = Number((await volume.stats()).blocks);
  await volume.close();
  return {
    steps: shares.length,
    isForward: shares.every((share, at) => share <= 1 && share >= (shares[at - 1] ?? 0)),
    blocks: [before, after],
    cutBlocks,
    made,
    isWhole: into.every((byte) => byte === 2),
    ended,
  };
}
