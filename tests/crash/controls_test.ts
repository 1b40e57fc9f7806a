/**
 * Negative controls: each rule that keeps a crash harmless is taken out, and the crash runs must
 * notice. A harness that passes without a rule has not looked.
 */
import { assert, assertEquals } from "@std/assert";
import { Bitmap, type BlockRun } from "../../opfs/volume/memory/bitmap.ts";
import { BlockPool } from "../../opfs/volume/memory/block_pool.ts";
import { Journal } from "../../opfs/volume/journal/journal.ts";
import { HiddenSlots } from "../../opfs/volume/memory/hidden_slots.ts";
import { InodeTable } from "../../opfs/volume/memory/inode_table.ts";
import { RING_AT, RING_BYTES_MIN, SECTOR_BYTES } from "../../opfs/volume/format/layout.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import type { CrashHandle } from "../support/crash_handle.ts";
import { type CrashOptions, crashRun } from "../support/crash_run.ts";
import { stateOf } from "../support/engine_state.ts";

/** Bad images of a workload in which every rule matters. */
function badImages(): number {
  const options = { steps: 100, ringBytes: 128 * 1024, poolBytes: 1 << 20 };
  let bad = 0;
  for (const seed of [2, 3]) {
    bad += crashRun({ ...options, seed, syncEvery: 3, sizeMax: 400_000 }).bad;
  }
  return bad;
}

/** Runs `body` with methods of a class replaced. */
function withPatch<T extends object>(target: T, patch: Partial<T>, body: () => void): void {
  const before = Object.getOwnPropertyDescriptors(target);
  try {
    for (const [name, value] of Object.entries(patch)) {
      Object.defineProperty(target, name, { value, configurable: true, writable: true });
    }
    body();
  } finally {
    for (const name of Object.keys(patch)) {
      Object.defineProperty(target, name, before[name as keyof typeof before]!);
    }
  }
}

Deno.test("crashRun() finds nothing with all rules in place", () => {
  assertEquals(badImages(), 0);
});

Deno.test("crashRun() notices when logged blocks are written directly", () => {
  withPatch(BlockPool.prototype, { isLogged: () => false }, () => assert(badImages() > 0));
});

Deno.test("crashRun() notices a checkpoint without a commit before it", () => {
  // Without the rule the invariant that guards it would speak first.
  const patch = { commitFirst: () => {}, requireCommitted: () => {} };
  withPatch(Journal.prototype, patch, () => assert(badImages() > 0));
});

Deno.test("crashRun() notices when freed blocks are reused at once", () => {
  const { keep } = Bitmap.prototype;
  const patch = {
    keep(this: Bitmap): void {
      keep.call(this);
      const runs = this.takeQuarantine();
      for (let index = 0; index < runs.length; index += 2) {
        this.release(runs[index]!, runs[index + 1]!);
      }
    },
  };
  withPatch(Bitmap.prototype, patch, () => assert(badImages() > 0));
});

/** Blocks allocated since the last commit. */
function watchFreshBlocks(body: (fresh: Set<number>) => void): void {
  const fresh = new Set<number>();
  const { allocate } = Bitmap.prototype;
  const { commit } = Journal.prototype;
  const patch = {
    allocate(this: Bitmap, goal: number, want: number): BlockRun | null {
      const run = allocate.call(this, goal, want);
      for (let index = 0; run !== null && index < run.count; index++) fresh.add(run.block + index);
      return run;
    },
  };
  const commitPatch = {
    commit(this: Journal): void {
      commit.call(this);
      fresh.clear();
    },
  };
  withPatch(Bitmap.prototype, patch, () => {
    withPatch(Journal.prototype, commitPatch, () => body(fresh));
  });
}

Deno.test("crashRun() notices when bytes past the old size go unflushed before the record", () => {
  const { dirtyFrames } = BlockPool.prototype;
  let isInside = false;
  watchFreshBlocks((fresh) => {
    const patch = {
      dirtyFrames(this: BlockPool, which: "all" | "logged" | "unlogged"): number[] {
        const frames = dirtyFrames.call(this, which);
        if (which !== "unlogged") return frames;
        const isOld = (frame: number) => !fresh.has(this.blockOf(frame));
        if (isInside) return frames.filter(isOld);
        const before = this.isUnflushed;
        isInside = true;
        this.writeBack();
        isInside = false;
        this.isUnflushed = before;
        return frames.filter((frame) => !isOld(frame));
      },
    };
    withPatch(BlockPool.prototype, patch, () => assert(badImages() > 0));
  });
});

/** Bad images of a workload for one rule; until the first, with one seed after the other. */
function badWith(seeds: number, options: Partial<CrashOptions>): number {
  const usual = { steps: 60, ringBytes: RING_BYTES_MIN, poolBytes: 1 << 20, syncEvery: 4 };
  for (let seed = 1; seed <= seeds; seed++) {
    const { bad } = crashRun({ ...usual, ...options, seed });
    if (bad > 0) return bad;
  }
  return 0;
}

/** A table grows over bytes that only an unflushed cut has removed. */
const GROWING: Partial<CrashOptions> = { begins: "stale", steps: 3, syncEvery: 1, sizeMax: 2000 };
/** Records at the ring's end are refused and land; the next of that number is longer. */
const REFUSING: Partial<CrashOptions> = { refuses: true, syncEvery: 1, steps: 250, goOnEvery: 50 };
/** Slots that dead ones name are one use before the generation that these say. */
const DEAD: Partial<CrashOptions> = { begins: "dead" };
/** Files without names are written while checkpoints go home. */
const NAMELESS: Partial<CrashOptions> = {
  meanwhile(volume, step): void {
    if (step % 10 !== 0) return;
    const ino = volume.tmpfile(volume.root, { mode: 0o600, uid: 0, gid: 0 });
    for (let at = 0; at < 9; at++) volume.write(ino, new Uint8Array(600).fill(step), at * 9000);
    void volume.exportImage().cancel();
  },
};

Deno.test("crashRun() finds nothing in growing, refusing, dead and nameless workloads", () => {
  assertEquals(badWith(8, GROWING), 0);
  for (const options of [DEAD, NAMELESS, REFUSING]) assertEquals(badWith(1, options), 0);
});

Deno.test("crashRun() notices when a change of the file's length is not flushed before a record", () => {
  const onOpen = (volume: Volume, handle: CrashHandle): void => {
    let value = false;
    Object.defineProperty(stateOf(volume).pool, "isUnflushed", {
      get: () => value,
      set: (after: boolean) => {
        if (!after || handle.changes.at(-1)?.kind !== "truncate") value = after;
      },
    });
  };
  assert(badWith(20, { ...GROWING, onOpen }) > 0);
});

Deno.test("crashRun() notices when the place of a refused record is not erased", () => {
  const onOpen = (_: Volume, handle: CrashHandle): void => {
    const write = handle.write.bind(handle);
    handle.write = (from, options) => {
      const isRing = options.at >= RING_AT && options.at < RING_AT + RING_BYTES_MIN;
      const isErasure = isRing && from.length === SECTOR_BYTES && from.every((byte) => byte === 0);
      return isErasure ? from.length : write(from, options);
    };
  };
  assert(badWith(6, { ...REFUSING, onOpen }) > 0);
});

Deno.test("crashRun() notices when slots are given out that dead ones name", () => {
  const { setFree } = InodeTable.prototype;
  const patch = {
    setFree(this: InodeTable, freed: readonly number[], firstUnused: number): void {
      // The dead are not counted: they are not among the free ones, and what they name is.
      setFree.call(this, freed.slice(0, 1), firstUnused);
    },
    isFree: () => false,
  };
  withPatch(InodeTable.prototype, patch, () => assert(badWith(6, DEAD) > 0));
});

Deno.test("crashRun() notices when what no record says goes home", () => {
  withPatch(HiddenSlots.prototype, { show: () => {} }, () => assert(badWith(4, NAMELESS) > 0));
});

/** Flushes are refused, and the host forgets what it could not store. */
const FORGETTING: Partial<CrashOptions> = { refusesFlush: true, syncEvery: 2, sizeMax: 400_000 };

Deno.test("crashRun() finds nothing where flushes are refused", () => {
  assertEquals(badWith(3, FORGETTING), 0);
});

Deno.test("crashRun() notices when a volume goes on without data that a refused flush has lost", () => {
  const onOpen = (volume: Volume): void => {
    Object.defineProperty(stateOf(volume), "failure", { get: () => null, set: () => {} });
  };
  assert(badWith(6, { ...FORGETTING, onOpen }) > 0);
});
