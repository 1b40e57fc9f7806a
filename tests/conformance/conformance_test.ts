import { assertEquals, fail } from "@std/assert";
import { type BackendRow, BACKENDS } from "../support/backends.ts";
import { PENDING, pendingReason } from "../support/pending.ts";
import { ALL_CASES, casesFor } from "./all.ts";
import { type Case, type CaseClock, runCase, SkipCase } from "./case.ts";

const START_MS = 1_700_000_000_000.25;

async function attempt(row: BackendRow, test: Case): Promise<void> {
  if ((test.isSmall || test.testsLimit) && row.hasOwnSpace) return;
  const clock: CaseClock = { now: START_MS, isFixed: row.hasOwnClock === true };
  const instance = await row.make({ clock: () => clock.now, isSmall: test.isSmall === true });
  clock.moved = () => instance.moved?.();
  let failure: unknown = null;
  try {
    const last = await runCase(test, instance.fs, clock, instance.remount?.bind(instance));
    last.quit();
  } catch (error) {
    if (!(error instanceof SkipCase)) failure = error;
  }
  try {
    await instance.close();
  } catch (error) {
    failure ??= error;
  }
  if (failure !== null) throw failure;
}

const only = Deno.env.get("CAIRN_BACKEND");
const isLong = Deno.env.get("CAIRN_LONG") === "1";

for (const row of BACKENDS.filter((row) => only === undefined || row.name === only)) {
  Deno.test(`conformance on ${row.name}`, async (t) => {
    for (const test of casesFor(row.name, isLong)) {
      const reason = pendingReason(row.name, test.name);
      await t.step(reason === null ? test.name : `pending: ${test.name}`, async () => {
        if (reason === null) return await attempt(row, test);
        const passed = await attempt(row, test).then(() => true, () => false);
        if (passed) fail(`it passes now: take it out of tests/support/pending.ts (${reason})`);
      });
    }
    row.dispose?.();
  });
}

Deno.test("conformance case names are unique, and pending rows name cases and backends", () => {
  const names = ALL_CASES.map((test) => test.name);
  assertEquals(names.filter((name, index) => names.indexOf(name) !== index), []);
  const rows = BACKENDS.map((row) => row.name);
  assertEquals(PENDING.flatMap((row) => row.cases).filter((name) => !names.includes(name)), []);
  assertEquals(PENDING.flatMap((row) => row.backends).filter((name) => !rows.includes(name)), []);
  const named = ALL_CASES.flatMap((test) => test.shortFormOn ?? []);
  assertEquals(named.filter((name) => !rows.includes(name)), []);
});

Deno.test("conformance cases that are checked after a remount say what is seen", () => {
  const mute = ALL_CASES.filter((test) => test.remount === true && test.check === undefined);
  assertEquals(mute.map((test) => test.name), []);
});
