/**
 * The runner of tools/mutants.ts on a checkout of two files, of which the test knows one well.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { listMutants, sample, suitesFor, Trial } from "../../tools/mutants.ts";

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

Deno.test("a mistake that a test notices is killed, and the file is as before", async () => {
  const root = checkout([[1, 2, true], [2, 2, false]]);
  const [mutant, ...others] = listMutants(root, ["abi/x.ts"]);
  assertEquals(others, []);
  assertEquals(await new Trial(root).isKilled(mutant!), true);
  assertEquals(Deno.readTextFileSync(`${root}/abi/x.ts`), SOURCE);
  Deno.removeSync(root, { recursive: true });
});

Deno.test("a mistake that no test notices survives", async () => {
  const root = checkout([[1, 2, true]]);
  const [mutant] = listMutants(root, ["abi/x.ts"]);
  assertEquals(await new Trial(root).isKilled(mutant!), false);
  Deno.removeSync(root, { recursive: true });
});

Deno.test("a suite that fails without a mistake is said, not counted", async () => {
  const root = checkout([[2, 1, true]]);
  const [mutant] = listMutants(root, ["abi/x.ts"]);
  await assertRejects(() => new Trial(root).isKilled(mutant!), Error, "fails without a mistake");
  Deno.removeSync(root, { recursive: true });
});

Deno.test("suitesFor() begins with the mirrored test", () => {
  const suites = suitesFor("opfs/relay/hop.ts", () => true);
  assertEquals(suites, ["tests/opfs/relay/hop_test.ts", "tests/opfs/relay"]);
  assertEquals(suitesFor("opfs/relay/hop.ts", () => false), []);
});

Deno.test("sample() takes the same ones for the same seed, in their order", () => {
  const all = Array.from({ length: 100 }, (_, index) => index);
  const some = sample(all, { count: 10, seed: 7 });
  assertEquals(some, sample(all, { count: 10, seed: 7 }));
  assertEquals(some, [...some].sort((a, b) => a - b));
  assertEquals(new Set(some).size, 10);
  assertEquals(sample(all, { count: 1000, seed: 1 }), all);
});
