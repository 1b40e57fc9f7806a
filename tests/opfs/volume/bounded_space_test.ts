/**
 * The image stays near what is in it (V18): random histories that replace, rotate, cut, punch and
 * remove, with and without syncs, on every kind of device and with blocks of 512 bytes to 1 MiB.
 */
import { assert, assertEquals } from "@std/assert";
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from "../../../abi/flags.ts";
import { BrowserHandle } from "../../../opfs/device/browser_handle.ts";
import { fileHandle } from "../../../opfs/device/file.ts";
import type { StorageHandle } from "../../../opfs/device/handle.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { checkVolume } from "../../../opfs/volume/tools/check.ts";
import { openVolumeSync, type VolumeOptions } from "../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../opfs/volume/volume.ts";
import { stateOf } from "../../support/engine_state.ts";
import { FILE } from "../../support/on_volume.ts";
import { type Prng, prng } from "../../support/prng.ts";
import { SparseDisk } from "../../support/sparse_disk.ts";

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
const MIB = 1024 * 1024;
const IS_LONG = Deno.env.get("CAIRN_LONG") === "1";

/** One history: what it does is small beside what it throws away. */
class History {
  readonly #volume: Volume;
  readonly #random: Prng;
  readonly #bytes = new Uint8Array(2 * MIB).fill(7);
  readonly #syncs: boolean;
  #count = 0;

  constructor(volume: Volume, random: Prng, syncs: boolean) {
    this.#volume = volume;
    this.#random = random;
    this.#syncs = syncs;
  }

  /** One call or a few; how many bytes they wanted at most in one of them. */
  step(): number {
    const length = 1 + this.#random.below(this.#random.below(4) === 0 ? 2 * MIB : 20_000);
    const kinds = [this.#save, this.#rotate, this.#rewrite, this.#punch, this.#attribute];
    kinds[this.#random.below(kinds.length)]!.call(this, length);
    if (this.#syncs && this.#random.below(3) === 0) this.#volume.sync();
    return length;
  }

  #inoOf(name: string): number {
    const { root } = this.#volume;
    return this.#volume.lookup(root, name) || this.#volume.create(root, name, FILE);
  }

  /** A temporary file takes the name of the old one. */
  #save(length: number): void {
    const { root } = this.#volume;
    this.#volume.write(this.#inoOf("new"), this.#bytes.subarray(0, length), 0);
    this.#volume.rename(root, "new", root, `file ${this.#random.below(3)}`, 0);
  }

  /** Logs that are written in turns; the oldest one goes. */
  #rotate(length: number): void {
    for (let at = 0; at < length; at += 65_536) {
      this.#volume.append(this.#inoOf(`log ${this.#count}`), this.#bytes.subarray(0, 65_536));
      if (this.#syncs) this.#volume.sync();
    }
    const { root } = this.#volume;
    const old = `log ${this.#count - 2}`;
    if (this.#volume.lookup(root, old) !== 0) this.#volume.unlink(root, old);
    this.#count++;
  }

  #rewrite(length: number): void {
    const ino = this.#inoOf("rewritten");
    this.#volume.setattr(ino, { size: 0 });
    this.#volume.write(ino, this.#bytes.subarray(0, length), 0);
  }

  #punch(length: number): void {
    const ino = this.#inoOf("punched");
    this.#volume.write(ino, this.#bytes.subarray(0, length), 0);
    this.#volume.allocate(ino, PUNCH, 0, length);
  }

  #attribute(length: number): void {
    const value = this.#bytes.subarray(0, Math.min(length, 60_000));
    this.#volume.setxattr(this.#inoOf("described"), "user.a", value, 0);
  }
}

/** Blocks that the file may have, by what has been owned at most: FORMAT.md, section 10. */
function boundOf(owned: number, wanted: number, blockSize: number): number {
  const inMib = (count: number): number => Math.ceil(count * MIB / blockSize);
  const slack = Math.max(64, Math.min(1024, inMib(4)));
  return Math.ceil(1.7 * owned) + inMib(16) + 2 * slack + wanted;
}

/** The longest that a device was, beside what its volume held. */
function worstOf(handle: StorageHandle, options: VolumeOptions & { seed: number }): number {
  const { blockSize = 4096, seed, durability } = options;
  const random = prng(seed);
  const volume = openVolumeSync(handle, options);
  const history = new History(volume, random, durability === undefined);
  const { bitmap } = stateOf(volume);
  let worst = 0;
  let owned = bitmap.blocks - bitmap.unowned;
  for (let step = 0; step < (IS_LONG ? 600 : 60); step++) {
    const wanted = Math.ceil(history.step() / blockSize) + 6 * 256;
    owned = Math.max(owned, bitmap.blocks - bitmap.unowned + Math.ceil(2 * MIB / blockSize));
    const bound = boundOf(owned, wanted, blockSize);
    assert(bitmap.blocks <= bound, `seed ${seed}: ${bitmap.blocks} blocks, ${bound} at most`);
    worst = Math.max(worst, bitmap.blocks / owned);
  }
  volume.close();
  return worst;
}

const DEVICES: Record<string, (folder: string) => StorageHandle> = {
  memory: () => memoryHandle(),
  sparse: () => new SparseDisk(Infinity),
  "in a browser": () => new BrowserHandle(memoryHandle(), () => Promise.resolve({})),
  file: (folder) => fileHandle(`${folder}/image`),
};

for (const [name, make] of Object.entries(DEVICES)) {
  Deno.test(`the image stays near what is in it: ${name}`, () => {
    let worst = 0;
    for (const [index, blockSize] of [512, 4096, 65_536, MIB].entries()) {
      for (const durability of [undefined, "fsync", "op"] as const) {
        const folder = Deno.makeTempDirSync();
        const handle = make(folder);
        const ratio = worstOf(handle, { blockSize, durability, seed: 100 * index + 7 });
        if (blockSize === 4096) worst = Math.max(worst, ratio);
        if (name !== "file") assertEquals(checkVolume(handle).violations, []);
        Deno.removeSync(folder, { recursive: true });
      }
    }
    console.log(`${name}: at most ${worst.toFixed(2)} times what it holds, blocks of 4,096`);
  });
}

Deno.test("what replaces a file without a sync uses what the file had", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const { root } = volume;
  const bytes = new Uint8Array(MIB);
  for (let save = 0; save < 100; save++) {
    volume.write(volume.create(root, "new", FILE), bytes, 0);
    volume.rename(root, "new", root, "file", 0);
  }
  assert(handle.getSize() < 10 * MIB, `${handle.getSize()} bytes`);
  volume.close();
  assert(handle.getSize() < 8 * MIB, `${handle.getSize()} bytes`);
});

Deno.test("logs that are synced and rotated do not make the volume as long as all of them", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const piece = new Uint8Array(65_536).fill(7);
  for (let log = 0; log < 24; log++) {
    const ino = volume.create(volume.root, `log ${log}`, FILE);
    for (let at = 0; at < 8 * MIB; at += piece.length) {
      volume.write(ino, piece, at);
      volume.sync();
    }
    if (log > 0) volume.unlink(volume.root, `log ${log - 1}`);
    volume.sync();
  }
  assert(handle.getSize() < 50 * MIB, `${handle.getSize()} bytes`);
  volume.close();
  assert(handle.getSize() < 30 * MIB, `${handle.getSize()} bytes`);
});
