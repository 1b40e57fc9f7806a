/** Exports that nothing needs: every form of export and import, and this checkout. */
import { assertEquals } from "@std/assert";
import { EXCEPTIONS, findUnused, namesOf, readTexts } from "../../tools/exports.ts";
import { entryPoints } from "../../tools/project.ts";

/** Looks at files of "fs/", with "fs/mod.ts" as the door. */
function unusedOf(
  files: Record<string, string>,
  exceptions: Record<string, string> = {},
): string[] {
  return findUnused(new Map(Object.entries(files)), { entries: ["fs/mod.ts"], exceptions });
}

Deno.test("namesOf() reads every form of export and import", () => {
  const text = `
import { a, type B, c as d } from "./x.ts";
import type { E } from "./x.ts";
import * as all from "./y.ts";
export { f, type G } from "./z.ts";
export * from "./all.ts";
/* export const not = 1; */
export function h() {}
export async function i() { await import("./lazy.ts"); }
export abstract class J {}
export const k = 1;
export interface L {}
export type M = 1;
const n = 1;
export { n };
export type { O };
`;
  assertEquals(namesOf(text), {
    values: ["h", "i", "J", "k", "n"],
    types: ["L", "M", "O"],
    taken: [
      { from: "./z.ts", names: ["f", "G"] },
      { from: "./x.ts", names: ["a", "B", "c"] },
      { from: "./x.ts", names: ["E"] },
      { from: "./y.ts", names: ["*"] },
      { from: "./all.ts", names: ["*"] },
      { from: "./lazy.ts", names: ["*"] },
    ],
  });
});

Deno.test("findUnused() names what only tests use, and what leaves its file in vain", () => {
  const files = {
    "fs/a.ts":
      "export function used() {}\nexport function tested() {}\nexport const own = 1;\nown;",
    "fs/b.ts": 'import { used } from "./a.ts";\nused();',
    "tests/fs/a_test.ts": 'import { tested } from "../../fs/a.ts";\ntested();',
  };
  assertEquals(unusedOf(files), [
    '"fs/a.ts#tested" is used by nothing but tests',
    '"fs/a.ts#own" leaves its file in vain',
  ]);
  const seen = { ...files, "tests/fs/b_test.ts": 'import { own } from "../../fs/a.ts";' };
  assertEquals(unusedOf(seen), ['"fs/a.ts#tested" is used by nothing but tests']);
});

Deno.test("findUnused() lets be what a door hands on, all of a namespace, and types in use", () => {
  const files = {
    "fs/mod.ts": 'export * from "./a.ts";\nexport { b } from "./b.ts";\nexport const door = 1;',
    "fs/a.ts": "export const a = 1;",
    "fs/b.ts": "export const b = 1;",
    "fs/c.ts": "export const c = 1;",
    "fs/d.ts": 'import * as C from "./c.ts";\nexport interface Shape {}\nfunction f(s: Shape) {}',
    "tools/x.ts": "export const tool = 1;",
  };
  assertEquals(unusedOf(files), []);
  assertEquals(unusedOf({ "fs/e.ts": "export type Lost = 1;" }), [
    '"fs/e.ts#Lost" is used by nothing but tests',
  ]);
});

Deno.test("findUnused() wants an exception for each, and none that is not needed", () => {
  const files = { "fs/a.ts": "export const a = 1;" };
  assertEquals(unusedOf(files, { "fs/a.ts#a": "why" }), []);
  assertEquals(unusedOf({}, { "fs/a.ts#a": "why" }), ['"fs/a.ts#a" needs no exception']);
});

Deno.test("this checkout exports nothing that nothing needs", () => {
  assertEquals(
    findUnused(readTexts(), { entries: entryPoints(), exceptions: EXCEPTIONS }),
    [],
  );
});
