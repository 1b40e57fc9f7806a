/**
 * The gate against cliffs: every call of FS and every verb costs what it does. A row of `calls.ts` or
 * `verbs.ts` is work at a size and at four times that; four times the steps are right, 16 are a cliff. A
 * new call or verb needs a row. The steps are counted (`steps.ts`), so a busy machine changes nothing.
 */
import { assert, assertEquals } from "@std/assert";
import { main } from "../../cli/main.ts";
import { hostCommand } from "../../tools/programs.ts";
import { ROWS, WITHOUT } from "./calls.ts";
import type { Measured } from "./measure.ts";
import { VERB_ROWS, WITHOUT_VERBS } from "./verbs.ts";
import { type FS, ROOTS } from "./world.ts";

/** Four times the work, and the logarithm of a tree's depth. */
const RATIO_MAX = 6;

/** In a process of its own, for the counting slows all that runs there. */
function measure(what: string): Measured[] {
  const script = new URL("./measure.ts", import.meta.url).pathname;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const args = ["run", "-A", "--quiet", "--no-check", "--config", config, script, what];
  const { success, stdout, stderr } = hostCommand(Deno.execPath(), { args }).outputSync();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Calls of which each looks through all there are of something that is few, and of what. */
const LOOK_THROUGH: Readonly<Record<string, string>> = {
  "mount, unmount, isMountpoint, isRoot": "unmount: the open files, the mounts and the name table",
  "getxattr, setxattr, removexattr": "VOLUMEFS: the attributes of one file",
};
/** Such a row grows with the square at most. */
const SQUARE_MAX = 17;

function cliffs(rows: readonly Measured[]): string[] {
  const most = (name: string): number => name in LOOK_THROUGH ? SQUARE_MAX : RATIO_MAX;
  return rows.filter(({ name, small, large }) => !(large / small < most(name)))
    .map(({ name, small, large }) => `${name}: ${small} steps, then ${large}`);
}

/** Every call of FS, those that it inherits too. */
function callsOf(fs: FS): string[] {
  const names = new Set<string>();
  for (
    let at = Object.getPrototypeOf(fs);
    at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name !== "constructor" && typeof value === "function") names.add(name);
    }
  }
  return [...names].sort();
}

Deno.test("every call of FS has a row, or a reason why it has none", () => {
  const calls = callsOf(ROOTS.MEMFS!());
  const rows = ROWS.flatMap((row) => row.calls);
  const covered = new Set([...rows, ...Object.keys(WITHOUT)]);
  assert(calls.length > 130, String(calls.length));
  assertEquals(calls.filter((name) => !covered.has(name)), []);
  assertEquals([...covered].filter((name) => !calls.includes(name)), []);
  assertEquals(rows.filter((name) => name in WITHOUT), []);
});

Deno.test("every verb of the command line has a row, or a reason why it has none", async () => {
  let help = "";
  const nothing = (): void => {};
  const terminal = { write: nothing, say: nothing, show: nothing, flush: nothing };
  await main(["--help"], { ...terminal, print: (text) => void (help += text) });
  const verbs = [...help.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map((found) => found[1]!);
  assert(verbs.length > 25, help);
  const covered = new Set([...VERB_ROWS.map(([name]) => name!), ...Object.keys(WITHOUT_VERBS)]);
  assertEquals(verbs.filter((name) => !covered.has(name)), []);
  assertEquals([...covered].filter((name) => !verbs.includes(name)), []);
});

for (const backend of Object.keys(ROOTS)) {
  Deno.test(`calls of FS on ${backend} cost four times as much for four times the work`, () => {
    const rows = measure(backend);
    assertEquals(rows.length, ROWS.length + 1);
    assertEquals(cliffs(rows), []);
  });
}

Deno.test("verbs of the command line cost four times as much for four times the work", () => {
  const rows = measure("verbs");
  assertEquals(rows.length, VERB_ROWS.length);
  assertEquals(cliffs(rows), []);
});

Deno.test("what grows with the square is seen", () => {
  const [square] = measure("square");
  assert(square!.large / square!.small > 12, JSON.stringify(square));
});
