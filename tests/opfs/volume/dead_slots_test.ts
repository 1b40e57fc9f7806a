/**
 * What is dead stays dead (V17): continuations and attributes that a removed owner left never
 * belong to what its slot is used for later, however often that is, and across closes and crashes.
 */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { checkVolume } from "../../../opfs/volume/tools/check.ts";
import { loadImage } from "../../../opfs/volume/load/image.ts";
import { InodeTable } from "../../../opfs/volume/memory/inode_table.ts";
import * as L from "../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { isDead, liveOwnerOf, namedOwnerOf } from "../../../opfs/volume/format/slot_owner.ts";
import type { Volume } from "../../../opfs/volume/volume.ts";
import { stateOf } from "../../support/engine_state.ts";
import { comeRound } from "../../support/generations.ts";
import { contentsOf } from "../../support/model_tree.ts";
import { FILE } from "../../support/on_volume.ts";
import { type Prng, prng } from "../../support/prng.ts";
import { patched } from "../../invariants/patched.ts";

const BLOCK = 512;
const OPTIONS = {
  blockSize: BLOCK,
  ringBytes: 128 * 1024,
  poolBytes: 1 << 18,
  durability: "fsync",
} as const;
/** Blocks of a file that leaves more dead slots than are zeroed at once. */
const MANY = 420;
const isLong = Deno.env.get("CAIRN_LONG") === "1";

const filled = (byte: number, count = BLOCK): Uint8Array => new Uint8Array(count).fill(byte);

/** A file with every second block, so that few of them share a slot. */
function scattered(volume: Volume, name: string, byte: number, blocks = MANY): number {
  const ino = volume.create(volume.root, name, FILE);
  for (let block = 0; block < blocks; block++) volume.write(ino, filled(byte), block * 2 * BLOCK);
  return ino;
}

Deno.test("a removed file's continuations stay dead after its slot was one itself", () => {
  const handle = memoryHandle();
  let volume = openVolumeSync(handle, OPTIONS);
  volume.create(volume.root, "tmp", FILE);
  volume.unlink(volume.root, "tmp");
  scattered(volume, "a", 0xaa);
  volume.sync();
  const b = volume.create(volume.root, "b", FILE);
  volume.unlink(volume.root, "a");
  volume.sync();
  for (const at of [0, 2, 4]) volume.write(b, filled(0xbb), at * BLOCK);
  volume.close();
  volume = openVolumeSync(handle, OPTIONS);
  volume.setattr(volume.lookup(volume.root, "b"), { size: 0 });
  volume.sync();
  for (const name of ["c", "d", "e"]) {
    const ino = volume.create(volume.root, name, FILE);
    volume.write(ino, filled(0xcc, 90_000), 0);
    volume.setattr(ino, { size: MANY * 2 * BLOCK });
  }
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
  volume = openVolumeSync(handle, OPTIONS);
  for (const name of ["c", "d", "e"]) {
    const bytes = contentsOf(volume, volume.lookup(volume.root, name));
    assert(bytes.every((byte, at) => byte === (at < 90_000 ? 0xcc : 0)), name);
  }
});

Deno.test("a removed file's continuations stay dead when its generation comes round", () => {
  const handle = memoryHandle();
  let volume = openVolumeSync(handle, OPTIONS);
  scattered(volume, "a", 0xaa);
  volume.sync();
  volume.unlink(volume.root, "a");
  volume.close();
  assertEquals(comeRound(handle, OPTIONS), 1);
  volume = openVolumeSync(handle, OPTIONS);
  for (let index = 0; index < 90; index++) {
    volume.setattr(volume.create(volume.root, `f${index}`, FILE), { size: MANY * 2 * BLOCK });
  }
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
  volume = openVolumeSync(handle, OPTIONS);
  for (let index = 0; index < 90; index++) {
    const ino = volume.lookup(volume.root, `f${index}`);
    assertEquals(volume.getattr(ino).blocks, 0);
    assert(contentsOf(volume, ino).every((byte) => byte === 0));
  }
});

Deno.test("an unlinked file's attributes stay dead after a crash, whatever gets its slot", () => {
  const handle = memoryHandle();
  let volume = openVolumeSync(handle, OPTIONS);
  const ino = volume.create(volume.root, "a", FILE);
  volume.setxattr(ino, "user.secret", filled(7, 20), 0);
  volume.sync();
  volume.retain(ino);
  volume.unlink(volume.root, "a");
  volume.sync();
  // It was never closed. A mount finds the attribute, and its owner's slot free.
  const mounted = memoryHandle(handle.toBytes());
  assertEquals(comeRound(mounted, OPTIONS), 1);
  volume = openVolumeSync(mounted, OPTIONS);
  const names = Array.from({ length: 20 }, (_, index) => `f${index}`);
  for (const name of names) volume.create(volume.root, name, FILE);
  volume.sync();
  for (const name of names) {
    assertEquals(volume.listxattr(volume.lookup(volume.root, name)), []);
  }
});

const takers: readonly [string, (volume: Volume, ino: number, step: number) => void][] = [
  ["blocks", (volume, ino, step) => void volume.write(ino, filled(0xbb), step * 2 * BLOCK)],
  ["attributes", (volume, ino, step) => volume.setxattr(ino, `user.${step}`, filled(1, 9), 0)],
];

for (const [what, take] of takers) {
  Deno.test(`a dead slot that an unlinked file takes for ${what} is written over at once`, () => {
    const handle = memoryHandle();
    const volume = openVolumeSync(handle, OPTIONS);
    const b = volume.create(volume.root, "b", FILE);
    const a = (scattered(volume, "a", 0xaa) >>> 0) - 1;
    volume.sync();
    volume.retain(b);
    volume.unlink(volume.root, "b");
    volume.unlink(volume.root, "a");
    volume.sync();
    const { inodes } = stateOf(volume);
    // Until "b", which is open, has taken all that name the slot of "a".
    let steps = 0;
    while (!inodes.isFree(a)) take(volume, b, steps++);
    assert(steps > 20);
    volume.create(volume.root, "c", FILE);
    volume.sync();
    const { tables } = loadImage(handle);
    assertEquals(tables.view.getUint8(a * L.SLOT_BYTES), L.TYPE.FILE);
    for (let slot = L.FIRST_FILE_SLOT; slot < tables.slotCount; slot++) {
      if (isDead(tables.view, slot)) assert(namedOwnerOf(tables.view, slot) !== a, `slot ${slot}`);
    }
    const again = openVolumeSync(memoryHandle(handle.toBytes()), OPTIONS);
    const c = again.lookup(again.root, "c");
    assertEquals([again.getattr(c).blocks, again.listxattr(c)], [0, []]);
  });
}

Deno.test("checkVolume() and a mount say when a slot that dead ones name can be given out", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle, OPTIONS);
  scattered(volume, "a", 0xaa);
  volume.unlink(volume.root, "a");
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
  const { setFree } = InodeTable.prototype;
  const careless = {
    setFree(this: InodeTable, freed: readonly number[], firstUnused: number): void {
      setFree.call(this, freed.slice(0, 1), firstUnused);
    },
  };
  patched(InodeTable.prototype, careless, () => {
    const { violations } = checkVolume(handle);
    assert(violations.length > 0 && violations.every(({ rule }) => rule === "V17"));
    assertEquals(violations.some(({ isDerivable }) => isDerivable), false);
  });
});

/** A file of the model: which of its blocks are written, with the byte that is its own. */
interface Known {
  byte: number;
  blocks: Set<number>;
  attributes: Set<string>;
}

/** A volume and what must be in it; everything that is not kept is removed now and then. */
class History {
  readonly #random: Prng;
  readonly #files = new Map<string, Known>();
  readonly #open: number[] = [];
  #handle = memoryHandle();
  #volume: Volume = openVolumeSync(this.#handle, OPTIONS);
  #byte = 0;
  /** Dead slots that were found at reopenings. */
  dead = 0;

  constructor(seed: number) {
    this.#random = prng(seed);
  }

  step(): void {
    const call = this.#random.below(16);
    if (call < 4) this.#create();
    else if (call < 6) this.#write();
    else if (call < 7) this.#setAttribute();
    else if (call < 10) this.#remove();
    else if (call < 11) this.#unlinkOpen();
    else if (call < 12) this.#nameless();
    else if (call < 13) this.#truncate();
    else if (call < 14) this.#letGo();
    else if (call < 15) this.#volume.sync();
    else this.#reopen();
  }

  #pick(): [string, Known, number] | null {
    if (this.#files.size === 0) return null;
    const [name, known] = this.#random.pick([...this.#files]);
    return [name, known, this.#volume.lookup(this.#volume.root, name)];
  }

  #create(): void {
    const name = `f${this.#random.below(12)}`;
    if (this.#files.has(name)) return;
    const ino = this.#volume.create(this.#volume.root, name, FILE);
    this.#byte = this.#byte % 255 + 1;
    this.#files.set(name, { byte: this.#byte, blocks: new Set(), attributes: new Set() });
    // Long enough that what was another's would show.
    this.#volume.setattr(ino, { size: MANY * 2 * BLOCK });
  }

  #write(): void {
    const picked = this.#pick();
    if (picked === null) return;
    const [, known, ino] = picked;
    const count = this.#random.pick([1, 5, 30, MANY]);
    this.#scatter(ino, known.byte, count, known.blocks);
  }

  #scatter(ino: number, byte: number, count: number, into = new Set<number>()): void {
    const first = count === MANY ? 0 : this.#random.below(MANY - count);
    for (let block = first; block < first + count; block++) {
      this.#volume.write(ino, filled(byte), block * 2 * BLOCK);
      into.add(block * 2);
    }
  }

  #setAttribute(): void {
    const picked = this.#pick();
    if (picked === null) return;
    const [, known, ino] = picked;
    for (let count = this.#random.pick([1, 3, 80]); count > 0; count--) {
      const name = `user.${known.byte} ${count}`;
      this.#volume.setxattr(ino, name, filled(known.byte, 3), 0);
      known.attributes.add(name);
    }
  }

  #remove(): void {
    const picked = this.#pick();
    if (picked === null) return;
    this.#volume.unlink(this.#volume.root, picked[0]);
    this.#files.delete(picked[0]);
  }

  #unlinkOpen(): void {
    const picked = this.#pick();
    if (picked === null) return;
    const [name, known, ino] = picked;
    this.#volume.retain(ino);
    this.#open.push(ino);
    this.#volume.unlink(this.#volume.root, name);
    this.#files.delete(name);
    this.#scatter(ino, known.byte, this.#random.pick([5, 40]));
    this.#volume.setxattr(ino, "user.late", filled(known.byte, 3), 0);
  }

  #nameless(): void {
    const ino = this.#volume.tmpfile(this.#volume.root, FILE);
    this.#byte = this.#byte % 255 + 1;
    const known = { byte: this.#byte, blocks: new Set<number>(), attributes: new Set<string>() };
    this.#scatter(ino, known.byte, this.#random.pick([5, MANY]), known.blocks);
    this.#volume.setxattr(ino, "user.early", filled(known.byte, 3), 0);
    known.attributes.add("user.early");
    const name = `f${this.#random.below(12)}`;
    if (!this.#files.has(name)) {
      this.#volume.setattr(ino, { size: MANY * 2 * BLOCK });
      this.#volume.link(ino, this.#volume.root, name);
      this.#files.set(name, known);
      this.#volume.release(ino);
    } else this.#open.push(ino);
  }

  #truncate(): void {
    const picked = this.#pick();
    if (picked === null) return;
    const [, known, ino] = picked;
    this.#volume.setattr(ino, { size: 0 });
    this.#volume.setattr(ino, { size: MANY * 2 * BLOCK });
    known.blocks.clear();
  }

  #letGo(): void {
    if (this.#open.length > 0) this.#volume.release(this.#open.pop()!);
  }

  /** Closed or killed, and opened again after generations have come round. */
  #reopen(): void {
    this.#volume.sync();
    const isKilled = this.#random.below(2) === 0;
    if (!isKilled) this.#volume.close();
    else this.#handle = memoryHandle(this.#handle.toBytes());
    this.#open.length = 0;
    assertEquals(checkVolume(this.#handle).violations, []);
    this.dead += comeRound(this.#handle, OPTIONS);
    this.#volume = openVolumeSync(this.#handle, OPTIONS);
    this.compare();
  }

  compare(): void {
    const volume = this.#volume;
    assertEquals(volume.report.corrected, []);
    assertEquals(volume.stats().names, this.#files.size);
    for (const [name, { byte, blocks, attributes }] of this.#files) {
      const ino = volume.lookup(volume.root, name);
      const bytes = contentsOf(volume, ino);
      for (let block = 0; block < MANY * 2; block++) {
        const expected = blocks.has(block) ? byte : 0;
        const wrong = bytes.subarray(block * BLOCK, (block + 1) * BLOCK)
          .findIndex((is) => is !== expected);
        assertEquals(wrong, -1, `${name}: block ${block} should be ${expected}`);
      }
      assertEquals(volume.listxattr(ino).sort(), [...attributes].sort(), name);
    }
    this.#compareOwners();
  }

  /** What V17 promises, on what a crash would leave: only a free slot has dead ones. */
  #compareOwners(): void {
    const { tables } = loadImage(this.#handle);
    const { inodes } = stateOf(this.#volume);
    for (let slot = L.FIRST_FILE_SLOT; slot < tables.slotCount; slot++) {
      const owner = namedOwnerOf(tables.view, slot);
      if (owner < 0 || liveOwnerOf(tables.view, slot) >= 0) continue;
      const type = tables.view.getUint8(owner * L.SLOT_BYTES);
      const isAlive = type >= L.TYPE.FILE && type <= L.TYPE.SYMLINK;
      assert(!isAlive && !inodes.isFree(owner), `dead slot ${slot} names slot ${owner}`);
    }
  }
}

Deno.test("random histories with generations about to come round show nothing of the dead", () => {
  let dead = 0;
  for (let seed = 1; seed <= (isLong ? 60 : 3); seed++) {
    const history = new History(seed);
    try {
      for (let step = 0; step < 150; step++) history.step();
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    dead += history.dead;
  }
  assert(dead > 10, `${dead} slots were named by dead ones`);
  console.log(`${dead} slots were named by dead ones`);
});
