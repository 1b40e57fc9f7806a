/**
 * Power cuts and kills while a volume in use is cut and tidied.
 *
 * With CAIRN_LONG=1 each of the six kinds has one history of 200 calls, with a seed of its own. One looks
 * at some 4,600 images, and of every seventh at 80 that crashes of its mounts leave: it took 157 s of
 * processor time, so all six take about a quarter of an hour. More seeds instead of six kinds would not end.
 */
import { assert, assertEquals } from "@std/assert";
import { Compactor } from "../../opfs/volume/upkeep/compact.ts";
import type { Journal } from "../../opfs/volume/journal/journal.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { crashRun } from "../support/crash_run.ts";
import { stateOf } from "../support/engine_state.ts";

const isLong = Deno.env.get("CAIRN_LONG") === "1";

/** Pieces that have been moved. */
let moves = 0;
const { moveOne } = Compactor.prototype;
Compactor.prototype.moveOne = function (this: Compactor, slot: number): boolean {
  const hasMoved = moveOne.call(this, slot);
  if (hasMoved) moves++;
  return hasMoved;
};

const NAMELESS = { mode: 0o100644, uid: 0, gid: 0 };

/**
 * Files without a name come and go, so that there is much to cut and to move; no crash shows them.
 * Counts the steps after which the volume was shorter.
 */
function ballast(): { meanwhile: (volume: Volume, step: number) => void; cuts: number } {
  const held: number[] = [];
  let blocks = 0;
  const made = { meanwhile, cuts: 0 };
  function meanwhile(volume: Volume, step: number): void {
    const journal = stateOf(volume).committer as Journal;
    // Without any slack that is 64 blocks.
    journal.slackBytes = 0;
    if (volume.stats().blocks < blocks) made.cuts++;
    blocks = volume.stats().blocks;
    if (step % 3 !== 0) return;
    if (step % 9 === 0) { for (const ino of held.splice(0)) volume.release(ino); }
    held.push(volume.tmpfile(volume.root, NAMELESS));
    volume.write(held.at(-1)!, new Uint8Array(300_000).fill(step), 0);
  }
  return made;
}

let kinds = 0;
for (const durability of ["fsync", "periodic", "op"] as const) {
  for (const isSparse of [false, true]) {
    const seed = 42 + (isLong ? kinds++ : 0);
    const kind = `durability ${durability}, ${isSparse ? "sparse" : "memory"}`;
    Deno.test(`a volume that is cut and tidied in use survives a crash at every call: ${kind}`, () => {
      moves = 0;
      const made = ballast();
      const result = crashRun({
        seed,
        steps: isLong ? 200 : 70,
        syncEvery: 4,
        blockSize: 512,
        ringBytes: 128 * 1024,
        sizeMax: 20_000,
        meanwhile: made.meanwhile,
        durability,
        isSparse,
      });
      assertEquals(result.problems, []);
      const images = Object.values(result.images).reduce((sum, count) => sum + count);
      assert(made.cuts > 3 && moves > 3, `cut ${made.cuts} times, ${moves} moves`);
      console.log(`${kind}: ${images} images, cut ${made.cuts} times, ${moves} moves, bad 0`);
    });
  }
}
