/**
 * What tools/assertions.ts counts.
 */
import { assertEquals } from "@std/assert";
import { byFolder, rate, sum, tally } from "../../tools/assertions.ts";

Deno.test("tally() counts calls, and neither comments nor the definition", () => {
  const text = `/** invariant(a) */
export function invariant(a: boolean): void {
  // invariant(b)
  check(a); // invariant(c)

  invariant(a, "V1");
  if (a) invariant(a, "V2");
}
`;
  assertEquals(tally(text), { assertions: 2, codeLines: 5 });
});

Deno.test("rate() is for each 100 lines of code", () => {
  assertEquals(rate({ assertions: 3, codeLines: 100 }), "3.0");
  assertEquals(rate({ assertions: 1, codeLines: 60 }), "1.7");
  assertEquals(rate({ assertions: 0, codeLines: 0 }), "0.0");
});

Deno.test("byFolder() adds up the files of a folder, and all", () => {
  const files = new Map([
    ["opfs/a.ts", { assertions: 1, codeLines: 10 }],
    ["opfs/b.ts", { assertions: 2, codeLines: 20 }],
    ["fs/c.ts", { assertions: 4, codeLines: 40 }],
  ]);
  assertEquals(
    byFolder(files),
    new Map([
      ["opfs", { assertions: 3, codeLines: 30 }],
      ["fs", { assertions: 4, codeLines: 40 }],
      ["all", sum([...files.values()])],
    ]),
  );
});
