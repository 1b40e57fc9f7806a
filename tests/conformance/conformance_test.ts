import { assertEquals, fail } from "@std/assert";
import { BACKENDS } from "../support/backends.ts";
import { PENDING, pendingReason } from "../support/pending.ts";
import { ALL_CASES, casesFor } from "./all.ts";
import { attempt } from "./attempt.ts";

const only = Deno.env.get("CAIRN_BACKEND");
const isLong = Deno.env.get("CAIRN_LONG") === "1";

for (const row of BACKENDS.filter((row) => only === undefined || row.name === only)) {
  Deno.test(`conformance on ${row.name}`, async (t) => {
    for (const test of casesFor(row.name, isLong)) {
      const reason = pendingReason(row.name, test.name);
      await t.step(reason === null ? test.name : `pending: ${test.name}`, async () => {
        if (reason === null) return void await attempt(row, test);
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
