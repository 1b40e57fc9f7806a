/** Random calls against the model, with remounts, check after each. */
import { assertEquals } from "@std/assert";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { checkVolume } from "../../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { differences, modelTree, treeOf } from "../../support/model_tree.ts";
import { prng } from "../../support/prng.ts";
import { Pair } from "../../support/random_pair.ts";

const isLong = Deno.env.get("CAIRN_LONG") === "1";

function run(seed: number, steps: number, blockSize: number): void {
  const random = prng(seed);
  const handle = memoryHandle();
  let now = 1_700_000_000_000;
  const options = { blockSize, clock: () => now++, random: random.fill };
  let volume = openVolumeSync(handle, options);
  const pair = new Pair(volume, random);
  const log: string[] = [];
  try {
    for (let step = 1; step <= steps; step++) {
      log.push(pair.step());
      if (step % 50 !== 0) continue;
      assertEquals(differences(treeOf(volume), modelTree(pair.root)), "");
      volume.close();
      assertEquals(checkVolume(handle).violations, []);
      pair.volume = volume = openVolumeSync(handle, options);
      assertEquals(volume.report.corrected, []);
      assertEquals(differences(treeOf(volume), modelTree(pair.root)), "");
    }
  } catch (error) {
    console.log(`seed ${seed}, block size ${blockSize}, after:\n${log.slice(-12).join("\n")}`);
    throw error;
  }
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
}

Deno.test("Volume matches the model under random calls and remounts", () => {
  for (let seed = 1; seed <= (isLong ? 60 : 12); seed++) {
    run(seed, 400, seed % 3 === 0 ? 512 : seed % 3 === 1 ? 4096 : 16384);
  }
});
