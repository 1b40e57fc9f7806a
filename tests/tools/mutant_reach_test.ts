/**
 * What tools/mutant_reach.ts learns of test files: the lines that each runs, and how long it takes.
 */
import { assertEquals } from "@std/assert";
import { Reach, readReport } from "../../tools/mutant_reach.ts";
import { TestRuns } from "../../tools/mutant_runs.ts";

Deno.test("readReport() keeps the lines that ran", () => {
  const report =
    "SF:/r/abi/x.ts\nFN:1,f\nDA:1,1\nDA:2,0\nDA:3,12\nend_of_record\nSF:/r/y.ts\nDA:9,1";
  assertEquals(readReport(report, "/r/"), { "abi/x.ts": [1, 3], "y.ts": [9] });
});

Deno.test("filesFor() gives what runs a line or one beside it, the quickest first", () => {
  const reach = new Reach([
    { test: "slow", ms: 20, lines: { x: [5] } },
    { test: "quick", ms: 10, lines: { x: [3] } },
    { test: "far", ms: 1, lines: { x: [1], y: [4] } },
  ]);
  const names = (first: number, last = first) =>
    reach.filesFor("x", [first, last]).map(({ test }) => test);
  assertEquals(names(4), ["quick", "slow"]);
  assertEquals(names(6), ["slow"]);
  assertEquals(names(1, 6), ["far", "quick", "slow"]);
  assertEquals(names(7), []);
});

Deno.test("measure() runs each file once, and leaves out what fails", async () => {
  const root = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${root}/x.ts`, "export function f() {\n  return 1;\n}\n");
  const test = (body: string) => `import { f } from "./x.ts";\nDeno.test("f", () => { ${body} });`;
  Deno.writeTextFileSync(`${root}/a_test.ts`, test("f();"));
  Deno.writeTextFileSync(`${root}/b_test.ts`, test("void f;"));
  Deno.writeTextFileSync(`${root}/c_test.ts`, test("throw f();"));
  const tests = ["a_test.ts", "b_test.ts", "c_test.ts"];
  const reach = await Reach.measure(new TestRuns(root), { root, sources: ["x.ts"], tests });
  assertEquals(reach.leftOut, ["c_test.ts"]);
  assertEquals(reach.filesFor("x.ts", [2, 2]).map((one) => one.test), ["a_test.ts"]);
  Deno.removeSync(root, { recursive: true });
});
