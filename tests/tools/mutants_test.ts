/**
 * The runner of tools/mutants.ts on a checkout of two files, of which the test knows one well.
 */
import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { listMutants, nearOf, sample, Trial, type Verdict } from "../../tools/mutants.ts";

const SOURCE = `export function isLess(a: number, b: number): boolean {
  return a < b;
}
`;

/** A checkout in which the test of abi/x.ts looks at the given pairs. */
function checkout(pairs: readonly (readonly [number, number, boolean])[]): string {
  const root = Deno.makeTempDirSync();
  Deno.mkdirSync(`${root}/abi`);
  Deno.mkdirSync(`${root}/tests/abi`, { recursive: true });
  const plugins = [import.meta.resolve("../../tools/mutation.ts")];
  Deno.writeTextFileSync(`${root}/deno.json`, JSON.stringify({ lint: { plugins } }));
  Deno.writeTextFileSync(`${root}/abi/x.ts`, SOURCE);
  const lines = pairs.map(([a, b, is]) => `  if (isLess(${a}, ${b}) !== ${is}) throw new Error();`);
  const test = `import { isLess } from "../../abi/x.ts";
Deno.test("isLess()", () => {
${lines.join("\n")}
});
`;
  Deno.writeTextFileSync(`${root}/tests/abi/x_test.ts`, test);
  return root;
}

/** What becomes of the one mistake of the source. */
async function judge(root: string): Promise<Verdict> {
  const [mutant, ...others] = listMutants(root, ["abi/x.ts"]);
  assertEquals(others, []);
  return await new Trial(root, ["abi/x.ts"]).judge(mutant!);
}

Deno.test("a mistake that a test notices is killed, and the file is as before", async () => {
  const root = checkout([[1, 2, true], [2, 2, false]]);
  assertEquals(await judge(root), "killed");
  assertEquals(Deno.readTextFileSync(`${root}/abi/x.ts`), SOURCE);
  Deno.removeSync(root, { recursive: true });
});

Deno.test("a mistake that no test notices survives", async () => {
  const root = checkout([[1, 2, true]]);
  assertEquals(await judge(root), "survived");
  Deno.removeSync(root, { recursive: true });
});

Deno.test("a mistake in a line that no near test runs is not reached", async () => {
  const root = checkout([]);
  assertEquals(await judge(root), "unreached");
  Deno.removeSync(root, { recursive: true });
});

Deno.test("a mistake that another near test notices is killed", async () => {
  const root = checkout([[1, 2, true]]);
  const test = Deno.readTextFileSync(`${root}/tests/abi/x_test.ts`);
  const other = test.replace("(1, 2) !== true", "(2, 2) !== false");
  Deno.writeTextFileSync(`${root}/tests/abi/y_test.ts`, other);
  assertEquals(await judge(root), "killed");
  Deno.removeSync(root, { recursive: true });
});

Deno.test("a mistake that makes a loop endless is stopped", async () => {
  const root = checkout([]);
  const loop = "export function f(a: number): void {\n  while (a > 1);\n}\n";
  Deno.writeTextFileSync(`${root}/abi/x.ts`, loop);
  const test = 'import { f } from "../../abi/x.ts";\nDeno.test("f()", () => f(1));\n';
  Deno.writeTextFileSync(`${root}/tests/abi/x_test.ts`, test);
  const [mutant] = listMutants(root, ["abi/x.ts"]);
  assertEquals(mutant!.mutation.text, ">=");
  assertEquals(await new Trial(root, ["abi/x.ts"]).judge(mutant!), "stopped");
  Deno.removeSync(root, { recursive: true });
});

Deno.test("a test that fails without a mistake is said, not counted", async () => {
  const root = checkout([[2, 1, true]]);
  await assertRejects(() => judge(root), Error, "fails without a mistake");
  Deno.removeSync(root, { recursive: true });
});

Deno.test("nearOf() names the suites of the nearest folder", () => {
  assertEquals(nearOf("opfs/relay/event_loop.ts"), ["tests/opfs/relay"]);
  assertEquals(nearOf("opfs/open.ts"), ["tests/opfs"]);
  assertEquals(nearOf("elsewhere.ts"), ["tests"]);
});

Deno.test("sample() takes the same ones for the same seed, mixed", () => {
  const all = Array.from({ length: 100 }, (_, index) => index);
  const some = sample(all, { count: 10, seed: 7 });
  assertEquals(some, sample(all, { count: 10, seed: 7 }));
  assertNotEquals(some, [...some].sort((a, b) => a - b));
  assertEquals(new Set(some).size, 10);
  assertEquals(sample(all, { count: 1000, seed: 1 }).sort((a, b) => a - b), all);
});
