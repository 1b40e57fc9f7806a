/**
 * The limits of tools/function_length.ts, at the last good and the first bad line.
 */
import { assertEquals } from "@std/assert";
import plugin, { countLines, percentile, readMeasures } from "../../tools/function_length.ts";

function lint(path: string, text: string): string[] {
  return Deno.lint.runPlugin(plugin, path, text).map(({ message }) => message);
}

/** A body so long that its function has `lines` lines. */
function body(lines: number): string {
  return `{\n${"  work();\n".repeat(lines - 2)}}`;
}

const FORMS: Record<string, (body: string) => string> = {
  "a function": (body) => `function f() ${body}`,
  "a function expression": (body) => `const f = function () ${body};`,
  "an arrow function": (body) => `const f = () => ${body};`,
  "a method": (body) => `class C {\n  m() ${body}\n}`,
  "a private method": (body) => `class C {\n  #m() ${body}\n}`,
  "a getter": (body) => `class C {\n  get m() ${body}\n}`,
  "a constructor": (body) => `class C {\n  constructor() ${body}\n}`,
  "a method of an object": (body) => `const o = { m() ${body} };`,
  "a generator after other letters": (body) => `// é日😀\nfunction* f() ${body}`,
};

for (const [name, form] of Object.entries(FORMS)) {
  Deno.test(`length accepts ${name} of 70 lines and refuses one of 71`, () => {
    assertEquals(lint("fs/x.ts", form(body(70))), []);
    assertEquals(lint("fs/x.ts", form(body(71))), ["71 lines in a function, 70 at most"]);
  });
}

Deno.test("length accepts a file of 500 lines and refuses one of 501", () => {
  assertEquals(lint("fs/x.ts", "work();\n".repeat(500)), []);
  assertEquals(lint("fs/x.ts", "work();\n".repeat(501)), ["501 lines in a file, 500 at most"]);
  assertEquals(lint("fs/x.ts", "// note\n".repeat(501)), ["501 lines in a file, 500 at most"]);
});

Deno.test("length exempts generated files", () => {
  assertEquals(lint("opfs/relay/worker_source.ts", "work();\n".repeat(501)), []);
  assertEquals(lint("examples/wasm_c/hello.js", FORMS["a function"]!(body(71))), []);
});

Deno.test("countLines() does not count the end of the last line", () => {
  assertEquals(["", "a", "a\n", "a\nb", "a\n\n"].map(countLines), [0, 1, 1, 2, 2]);
});

Deno.test("percentile() takes the nearest rank", () => {
  assertEquals(percentile([5, 1, 4, 2, 3], 0.5), 3);
  assertEquals(percentile([1, 2, 3, 4], 0.97), 4);
  assertEquals(percentile([], 0.5), 0);
});

Deno.test("readMeasures() takes the lengths and leaves other findings", () => {
  const diagnostics = [
    { code: "length/measure", message: "12" },
    { code: "no-explicit-any", message: "7" },
    { code: "length/measure", message: "3" },
    { code: "length/file", message: "" },
    { code: "length/function", message: "" },
  ];
  const expected = { lengths: [12, 3], violations: 2 };
  assertEquals(readMeasures(JSON.stringify({ diagnostics })), expected);
});
