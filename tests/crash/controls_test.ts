/**
 * Negative controls: each rule that keeps a crash harmless is taken out, and the crash runs must
 * notice. A harness that passes without a rule has not looked.
 */
import { assert, assertEquals } from "@std/assert";
import { Bitmap } from "../../opfs/volume/bitmap.ts";
import { BlockPool } from "../../opfs/volume/block_pool.ts";
import { Journal } from "../../opfs/volume/journal.ts";
import { crashRun } from "../support/crash_run.ts";

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
    allocate(this: Bitmap, goal: number, want: number): number {
      const start = allocate.call(this, goal, want);
      for (let index = 0; index < this.allocated; index++) fresh.add(start + index);
      return start;
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
