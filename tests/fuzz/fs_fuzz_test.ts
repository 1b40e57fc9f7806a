import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { Random } from "../support/random.ts";
import { type Call, ModelCaller, randomCall, RealCaller } from "./fs_calls.ts";

const COUNT = Deno.env.has("CAIRN_LONG") ? 100_000 : 5_000;
/** One namespace gets this many calls: long enough to fill up, short enough to shrink. */
const PER_RUN = 1_000;

/** What differs first between FS and the model, or null. */
function difference(calls: readonly Call[]): { index: number; text: string } | null {
  let now = 1_000;
  const clock = (): number => now;
  const fs = createFS({ clock, root: { type: MEMFS, options: { clock } } });
  const [real, wanted] = [new RealCaller(fs), new ModelCaller()];
  wanted.model.root.mtime = wanted.model.root.ctime = now;
  for (const [index, call] of calls.entries()) {
    wanted.model.now = ++now;
    const [got, want] = [JSON.stringify(real.make(call)), JSON.stringify(wanted.make(call))];
    if (got !== want) return { index, text: `${JSON.stringify(call)}: got ${got}, want ${want}` };
  }
  fs.setCredentials({ uid: 0, gid: 0, groups: [] });
  const [got, want] = [real.tree(), wanted.tree()];
  fs.quit();
  for (const path of new Set([...Object.keys(got), ...Object.keys(want)])) {
    const [a, b] = [JSON.stringify(got[path]), JSON.stringify(want[path])];
    if (a !== b) return { index: calls.length, text: `the tree at ${path}: got ${a}, want ${b}` };
  }
  return null;
}

/** The shortest sequence found by leaving calls out that still differs. */
function shrink(calls: readonly Call[]): Call[] {
  let kept = [...calls];
  for (let size = kept.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < kept.length;) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (difference(fewer) === null) from += size;
      else kept = fewer;
    }
  }
  return kept;
}

Deno.test(`FS over MEMFS agrees with the model over ${COUNT} random calls`, () => {
  const seed = Number(Deno.env.get("CAIRN_SEED") ?? Date.now() % 1e9);
  console.log(`seed ${seed}`);
  const random = new Random(seed);
  const outcomes = new Map<string, number>();
  for (let done = 0; done < COUNT; done += PER_RUN) {
    const calls = Array.from({ length: PER_RUN }, () => randomCall(random));
    const found = difference(calls);
    if (found !== null) {
      const short = shrink(calls.slice(0, found.index + 1));
      const lines = short.map((call) => JSON.stringify(call)).join("\n");
      throw new Error(`seed ${seed}: ${difference(short)?.text ?? found.text}\n${lines}`);
    }
    count(calls, outcomes);
  }
  const succeeded = outcomes.get("ok") ?? 0;
  console.log([...outcomes].map(([kind, times]) => `${kind} ${times}`).join(", "));
  assertEquals(succeeded > COUNT / 8, true, "most random calls are refused: they test little");
});

/** How calls end, so that a generator which provokes nothing but ENOENT is noticed. */
function count(calls: readonly Call[], outcomes: Map<string, number>): void {
  const model = new ModelCaller();
  for (const call of calls) {
    const outcome = model.make(call);
    const kind = typeof outcome === "string" && /^E[A-Z]+$/.test(outcome) ? outcome : "ok";
    if (outcome !== "no stream") outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
  }
}

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
