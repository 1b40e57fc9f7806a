import { assertEquals, fail } from "@std/assert";
import { BACKENDS } from "../support/backends.ts";
import { everyBackend } from "../support/every_backend.ts";
import { PENDING, pendingReason } from "../support/pending.ts";
import { ALL_CASES, casesFor } from "./all.ts";
import { attempt } from "./attempt.ts";
import { type Capability, lackOf, needsOf, WITHOUT } from "./capabilities.ts";

const only = Deno.env.get("CAIRN_BACKEND");
const isLong = Deno.env.get("CAIRN_LONG") === "1";
const CAPABILITIES = Object.keys(WITHOUT) as Capability[];

/** Cases that would fill the host's disk are not run there, not even to see them fail. */
const NEVER_TRIED: Capability = "limits";

function holds(row: (typeof BACKENDS)[number], test: (typeof ALL_CASES)[number]): Promise<boolean> {
  return attempt(row, test).then(() => true, () => false);
}

for (const row of BACKENDS.filter((row) => only === undefined || row.name === only)) {
  Deno.test(`conformance on ${row.name}`, async (t) => {
    const lacked = new Map<Capability, number>();
    const cases = casesFor(row.name, isLong);
    for (const test of cases) {
      const lack = lackOf(row, test);
      const reason = pendingReason(row.name, test.name);
      if (lack !== null) lacked.set(lack, (lacked.get(lack) ?? 0) + 1);
      if (lack === NEVER_TRIED) continue;
      const kind = lack !== null ? `lacks ${lack}: ` : reason !== null ? "pending: " : "";
      await t.step(`${kind}${test.name}`, async () => {
        if (kind === "") return await attempt(row, test);
        if (await holds(row, test)) fail(`it passes now, yet it is said to fail: ${kind}${reason}`);
      });
    }
    for (const capability of row.lacks ?? []) {
      await t.step(WITHOUT[capability].name, () => attempt(row, WITHOUT[capability]));
    }
    row.dispose?.();
    const total = [...lacked.values()].reduce((sum, count) => sum + count, 0);
    const reasons = [...lacked].map(([capability, count]) => `${count} for ${capability}`);
    console.log(
      `${row.name}: ${cases.length - total} of ${cases.length} cases apply` +
        (total === 0 ? "" : `; lacked: ${reasons.join(", ")}`),
    );
  });

  Deno.test(`what ${row.name} does not lack it really has`, async () => {
    const present = CAPABILITIES.filter((capability) => !row.lacks?.includes(capability));
    for (const capability of present) {
      if (await holds(row, WITHOUT[capability])) fail(`it holds: ${WITHOUT[capability].name}`);
    }
    row.dispose?.();
  });
}

/** Backends that no program keeps files in, and the suite that they have instead. */
const SPECIAL: Readonly<Record<string, string>> = {
  DEVFS: "tests/node_ops/devfs_test.ts",
  PROCFS: "tests/node_ops/procfs_test.ts",
};

Deno.test("every backend has a row here, or a suite of its own for what it is", async () => {
  const tried = new Set([...BACKENDS.map(({ backend }) => backend), ...Object.keys(SPECIAL)]);
  assertEquals((await everyBackend()).map(({ name }) => name), [...tried].sort());
});

Deno.test("each capability is needed by a case, and lacked by a backend that proves its rule", () => {
  const needed = new Set(ALL_CASES.flatMap(needsOf));
  const lacked = new Set(BACKENDS.flatMap((row) => row.lacks ?? []));
  assertEquals(CAPABILITIES.filter((name) => !needed.has(name) || !lacked.has(name)), []);
});

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
