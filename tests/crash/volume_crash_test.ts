/** Power cuts and kills at every device call of random workloads. */
import { assertEquals } from "@std/assert";
import type { CrashModel } from "../support/crash_handle.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import type { VolumeOps } from "../../opfs/volume_ops.ts";
import { type CrashOptions, crashRun } from "../support/crash_run.ts";
import { turnedRelay } from "../support/turned_relay.ts";

const isLong = Deno.env.get("CAIRN_LONG") === "1";

const workloads: readonly [string, Partial<CrashOptions>][] = [
  ["small files", { syncEvery: 10, ringBytes: 128 * 1024, begins: "stale" }],
  ["a small journal", { syncEvery: 3, ringBytes: 128 * 1024, sizeMax: 100_000, refuses: true }],
  ["a sync after each call", { syncEvery: 1, ringBytes: 128 * 1024, begins: "dead" }],
  ["refusals that land", { syncEvery: 2, ringBytes: 128 * 1024, begins: "stale", refuses: true }],
  ["flushes that are refused", { syncEvery: 2, ringBytes: 128 * 1024, refusesFlush: true }],
  [
    "flushes that are refused, relayed",
    { syncEvery: 3, sizeMax: 400_000, begins: "stale", refusesFlush: true, over: relayed },
  ],
  ["files without names", { syncEvery: 9, begins: "dead", meanwhile: useNameless() }],
  ["durability op", { durability: "op", ringBytes: 128 * 1024 }],
  ["durability periodic", { durability: "periodic", commitIntervalMs: 7, sizeMax: 100_000 }],
  ["large writes", { syncEvery: 5, ringBytes: 128 * 1024, sizeMax: 400_000, poolBytes: 1 << 20 }],
  ["a pool that is too small", { syncEvery: 20, sizeMax: 200_000, poolBytes: 1 << 18 }],
  ["small blocks", { syncEvery: 10, blockSize: 512, ringBytes: 128 * 1024, begins: "dead" }],
  ["an image is read at the same time", {
    syncEvery: 5,
    sizeMax: 400_000,
    meanwhile: readImages(),
  }],
  [
    "the volume is compacted at the same time",
    { syncEvery: 7, sizeMax: 200_000, meanwhile: compact, begins: "stale" },
  ],
  ["a sparse disk", { syncEvery: 7, sizeMax: 200_000, isSparse: true, ringBytes: 128 * 1024 }],
  ["large blocks", { syncEvery: 10, blockSize: 32768, sizeMax: 200_000 }],
];

/** Images are begun, and given up some calls later: until then they hold on to what is changed. */
function readImages(): (volume: Volume, step: number) => void {
  let image: ReadableStream | null = null;
  return (volume, step) => {
    if (step % 13 !== 0) return;
    if (step % 39 === 0) image?.cancel();
    image = volume.exportImage();
  };
}

/** Files that never get a name take slots, blocks and attributes, and let them go some calls later. */
function useNameless(): (volume: Volume, step: number) => void {
  let open: number[] = [];
  return (volume, step) => {
    if (step === 1) open = [];
    if (step % 5 === 0) {
      const ino = volume.tmpfile(volume.root, { mode: 0o600, uid: 0, gid: 0 });
      const bytes = new Uint8Array(600).fill(step);
      for (let at = 0; at < 30; at++) volume.write(ino, bytes, at * 9000);
      volume.setxattr(ino, "user.step", bytes.subarray(0, 9), 0);
      open.push(ino);
    }
    if (step % 15 === 0) volume.release(open.shift()!);
  };
}

function relayed(volume: Volume): VolumeOps {
  return turnedRelay(volume).client(32_768);
}

/** Every now and then everything moves to the front. */
function compact(volume: Volume, step: number): void {
  if (step % 11 !== 0) return;
  const steps = volume.compact();
  while (steps.next().done !== true);
}

for (const [name, options] of workloads) {
  Deno.test(`Volume survives a crash at every device call: ${name}`, () => {
    const total: Record<CrashModel, number> = { killed: 0, torn: 0, lost: 0, subset: 0 };
    for (let seed = 1; seed <= (isLong ? 5 : 1); seed++) {
      const steps = isLong ? 200 : 80;
      const { images, problems } = crashRun({ syncEvery: 10, ...options, seed, steps });
      for (const model of Object.keys(images) as CrashModel[]) total[model] += images[model];
      assertEquals(problems, []);
    }
    console.log(`${name}: images looked at ${JSON.stringify(total)}, bad 0`);
  });
}
