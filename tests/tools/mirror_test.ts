/**
 * What tools/mirror.ts takes for a gap and what not.
 */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { findGaps, hasNoCode, testOf } from "../../tools/mirror.ts";

/** The gaps of a checkout that consists of these files. */
function gapsOf(files: Record<string, string>): string[] {
  const sources = Object.keys(files).filter((path) => !path.startsWith("tests/"));
  return findGaps(sources, {
    exists: (path) => path in files,
    readText: (path) => files[path] ?? "",
  });
}

Deno.test("testOf() mirrors the source path by path", () => {
  assertEquals(testOf("opfs/volume/format/layout.ts"), "tests/opfs/volume/format/layout_test.ts");
});

Deno.test("findGaps() names a source without a test", () => {
  const code = "export function f(): void {}\n";
  assertEquals(gapsOf({ "fs/x.ts": code, "tests/fs/x_test.ts": "" }), []);
  assertEquals(gapsOf({ "fs/x.ts": code, "tests/x_test.ts": "" }), [
    `"fs/x.ts" has no "tests/fs/x_test.ts"`,
  ]);
});

Deno.test("findGaps() passes over generated files, barrels and types", () => {
  const files = {
    "opfs/relay/worker_source.ts": "export const WORKER_SOURCE: string = '';\n",
    "fs/mod.ts": `export * from "./x.ts";\nexport { y } from "./y.ts";\n`,
    "fs/types.ts": "/** An A. */\nexport interface A {\n  a: number;\n}\nexport type B = A;\n",
  };
  assertEquals(gapsOf(files), []);
});

Deno.test("hasNoCode() sees code of every kind", () => {
  const code = [
    "export function f(): void {}",
    "function f(): void {}",
    "export const A = 1;",
    "export abstract class A {}",
    "export async function f(): Promise<void> {}",
    "let x = 1;",
    "start();",
    `import "./effect.ts";`,
  ];
  for (const text of code) assertFalse(hasNoCode(`/** Doc. */\n${text}\n`), text);
});

Deno.test("hasNoCode() is not misled by comments and long lists", () => {
  assert(
    hasNoCode(`/**\nconst x = 1;\n */\n// let y = 2;\nexport type {\n  A,\n} from "./a.ts";\n`),
  );
  assert(hasNoCode(`import type { A } from "./a.ts";\ndeclare const x: A;\n`));
});
