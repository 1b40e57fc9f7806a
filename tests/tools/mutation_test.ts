/**
 * Which mistakes tools/mutation.ts finds in a text, and how it makes them.
 */
import { assertEquals } from "@std/assert";
import plugin, {
  describeMutation,
  makePlugin,
  mutate,
  readMutations,
} from "../../tools/mutation.ts";

/** Every text that one mistake makes of this one. */
function mistakesIn(text: string): string[] {
  const diagnostics = Deno.lint.runPlugin(makePlugin(() => true), "opfs/x.ts", text)
    .map(({ id, message }) => ({ code: id, message }));
  return readMutations(JSON.stringify({ diagnostics })).map((one) => mutate(text, one));
}

const CASES: Readonly<Record<string, readonly string[]>> = {
  "x = a < b;": ["x = a <= b;"],
  "x = a > b && c;": ["x = a >= b && c;", "x = a > b || c;"],
  "x = a === b;": ["x = a !== b;"],
  "x = !a;": ["x = a;"],
  "x += y;": ["x -= y;"],
  "x++;": ["x--;"],
  "--x;": ["++x;"],
  "x = 7;": ["x = 8;"],
  "x = true;": ["x = false;"],
  "f(a);": [";"],
  "a?.f();": [";"],
  "if (a) b = c;": ["if (!(a)) b = c;"],
  "x = a ? b : c;": ["x = !(a) ? b : c;"],
  "invariant(a, b);": [],
  "let x: 1 | 2;": [],
  'x = "a < b"; // c < d': [],
};

for (const [text, expected] of Object.entries(CASES)) {
  Deno.test(`mutation finds ${expected.length} mistakes to make in \`${text}\``, () => {
    assertEquals(mistakesIn(text), [...expected]);
  });
}

Deno.test("mutation counts characters as a string does", () => {
  assertEquals(mistakesIn('const é = "日😀"; x = a < b;'), ['const é = "日😀"; x = a <= b;']);
});

Deno.test("mutation reports nothing in an ordinary run of the linter", () => {
  assertEquals(Deno.lint.runPlugin(plugin, "opfs/x.ts", "x = a < b;"), []);
});

Deno.test("describeMutation() names the place and what changes", () => {
  const text = "one();\n  x = a < b;\n";
  assertEquals(
    describeMutation(text, { from: 15, to: 16, text: "<=" }),
    "2:9: `<` -> `<=` in `x = a < b;`",
  );
});
