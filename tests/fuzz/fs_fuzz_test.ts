import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { PROXYFS } from "../../node_ops/proxyfs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { checkNames } from "../support/check_names.ts";
import { Random } from "../support/random.ts";
import { type Call, ModelCaller, randomCall, RealCaller, SeveralCallers } from "./fs_calls.ts";

const COUNT = Deno.env.has("CAIRN_LONG") ? 100_000 : 5_000;
/** One namespace gets this many calls: long enough to fill up, short enough to shrink. */
const PER_RUN = 1_000;

/** Something to compare with the model. */
interface Real {
  /** Instances that show one tree. */
  instances: readonly FS[];
  /** Lets go of what is below them; what is wrong there. */
  close(): string[];
}

/** How it is made, with a clock for its times. */
type Make = (clock: () => number) => Real;

function onMemfs(clock: () => number): Real {
  const root = { type: MEMFS, options: { clock } };
  return { instances: [createFS({ clock, root })], close: () => [] };
}

/** One instance, or two that see each other's changes, over the directory of another one. */
function onProxy(count: number): Make {
  return (clock) => {
    const theirs = createFS({ clock, root: { type: MEMFS, options: { clock } } });
    theirs.umask(0);
    const root = { type: PROXYFS, options: { fs: theirs } };
    return {
      instances: Array.from({ length: count }, () => createFS({ clock, root })),
      close: () => checkNames(theirs),
    };
  };
}

/** Some instances over one volume: each caches names, and all see what any of them does. */
function onOneVolume(count: number): Make {
  return (clock) => {
    const handle = memoryHandle();
    const volume = openVolumeSync(handle, { clock });
    const root = { type: VOLUMEFS, options: { volume } };
    return {
      instances: Array.from({ length: count }, () => createFS({ clock, root })),
      close() {
        volume.close();
        return checkVolume(handle).violations.map(String);
      },
    };
  };
}

/** What differs first between FS and the model, or null. */
function difference(
  calls: readonly Call[],
  make: Make = onMemfs,
): { index: number; text: string } | null {
  let now = 1_000;
  const { instances, close } = make(() => now);
  const [real, wanted] = [new SeveralCallers(instances), new ModelCaller()];
  wanted.model.root.mtime = wanted.model.root.ctime = now;
  for (const [index, call] of calls.entries()) {
    wanted.model.now = ++now;
    const [got, want] = [JSON.stringify(real.make(call)), JSON.stringify(wanted.make(call))];
    if (got !== want) return { index, text: `${JSON.stringify(call)}: got ${got}, want ${want}` };
  }
  const text = instances.map((fs) => differenceOfTrees(fs, wanted)).find((each) => each !== null) ??
    close()[0];
  return text === undefined ? null : { index: calls.length, text };
}

/** What the tree of an instance shows that the model's does not; also what its cache has wrong. */
function differenceOfTrees(fs: FS, wanted: ModelCaller): string | null {
  fs.setCredentials({ uid: 0, gid: 0, groups: [] });
  const [got, want] = [new RealCaller(fs).tree(), wanted.tree()];
  const wrong = checkNames(fs)[0];
  fs.quit();
  for (const path of new Set([...Object.keys(got), ...Object.keys(want)])) {
    const [a, b] = [JSON.stringify(got[path]), JSON.stringify(want[path])];
    if (a !== b) return `the tree at ${path}: got ${a}, want ${b}`;
  }
  return wrong ?? null;
}

/** The shortest sequence found by leaving calls out that still differs. */
function shrink(calls: readonly Call[], make: Make): Call[] {
  let kept = [...calls];
  for (let size = kept.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < kept.length;) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (difference(fewer, make) === null) from += size;
      else kept = fewer;
    }
  }
  return kept;
}

/** Makes `total` random calls, and throws the shortest sequence that shows a difference. */
function compare(make: Make, total: number): void {
  const seed = Number(Deno.env.get("CAIRN_SEED") ?? Date.now() % 1e9);
  console.log(`seed ${seed}`);
  const random = new Random(seed);
  const outcomes = new Map<string, number>();
  for (let done = 0; done < total; done += PER_RUN) {
    const calls = Array.from({ length: PER_RUN }, () => randomCall(random));
    const found = difference(calls, make);
    if (found !== null) {
      const short = shrink(calls.slice(0, found.index + 1), make);
      const lines = short.map((call) => JSON.stringify(call)).join("\n");
      throw new Error(`seed ${seed}: ${difference(short, make)?.text ?? found.text}\n${lines}`);
    }
    count(calls, outcomes);
  }
  const succeeded = outcomes.get("ok") ?? 0;
  console.log([...outcomes].map(([kind, times]) => `${kind} ${times}`).join(", "));
  assertEquals(succeeded > total / 8, true, "most random calls are refused: they test little");
}

/** How calls end, so that a generator which provokes nothing but ENOENT is noticed. */
function count(calls: readonly Call[], outcomes: Map<string, number>): void {
  const model = new ModelCaller();
  for (const call of calls) {
    const outcome = model.make(call);
    const kind = typeof outcome === "string" && /^E[A-Z]+$/.test(outcome) ? outcome : "ok";
    if (outcome !== "no stream") outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
  }
}

Deno.test(`FS over MEMFS agrees with the model over ${COUNT} random calls`, () => {
  compare(onMemfs, COUNT);
});

Deno.test(`FS over a volume agrees with the model over ${COUNT} random calls`, () => {
  compare(onOneVolume(1), COUNT);
});

Deno.test(`Two FS over one volume agree with the model over ${COUNT} random calls`, () => {
  compare(onOneVolume(2), COUNT);
});

Deno.test("difference() notices when a call is left out on one side only", () => {
  const base = { path: "/a", other: "/b", slot: 0, flags: 0, mode: 0o755, a: 0, b: 0 };
  assertEquals(difference([{ ...base, call: "mkdir" }, { ...base, call: "stat" }]), null);
  const model = new ModelCaller();
  const real = new RealCaller(createFS({ root: { type: MEMFS, options: {} } }));
  model.make({ ...base, call: "mkdir" });
  assertEquals([real.make({ ...base, call: "stat" }), model.make({ ...base, call: "rmdir" })], [
    "ENOENT",
    "ok",
  ]);
});

Deno.test(`FS over PROXYFS agrees with the model over ${COUNT} random calls`, () => {
  compare(onProxy(1), COUNT);
});

Deno.test(`Two FS over one PROXYFS agree with the model over ${COUNT} random calls`, () => {
  compare(onProxy(2), COUNT);
});
