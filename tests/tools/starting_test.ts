/**
 * The rule that programs are started in one place: every way round it that it sees, and that the tree
 * holds to it.
 */
import { assert, assertEquals } from "@std/assert";
import { readText, sourceFiles } from "../../tools/project.ts";
import plugin, { EXEMPT, isBound } from "../../tools/starting.ts";

function lint(path: string, text: string): string[] {
  return Deno.lint.runPlugin(plugin, path, text).map(({ message }) => message);
}

/** In two parts, since this file holds to the rule too. */
const BIN = "/usr" + "/bin";

const WAYS = [
  `new Deno.Command("git");`,
  `new Deno["Command"]("git");`,
  `new globalThis.Deno.Command("git");`,
  `const { Command } = Deno;`,
  `const { Command } = globalThis.Deno;`,
  `const other = Deno;`,
  `import { spawn } from "node:child_process";`,
  `import * as child from "child_process";`,
  `const child = await import("node:child_process");`,
  `const child = require("node:child_process");`,
  `const child = process.getBuiltinModule("node:child_process");`,
  `const path = "${BIN}/git";`,
  `const path = "${BIN.slice(4)}/git";`,
  `const script = "set -e; ${BIN}/true";`,
  `const script = \`\${first} | ${BIN}/losetup -f\`;`,
];

for (const text of WAYS) {
  Deno.test(`starting refuses ${text} in a test`, () => {
    assertEquals(lint("tests/x_test.ts", text).length, 1);
    assertEquals(lint("bench/x.ts", text).length, 1);
    assertEquals(lint("cli/x.ts", text), []);
  });
}

Deno.test("starting accepts what starts nothing", () => {
  const text = `hostCommand("git"); let child: Deno.ChildProcess; type Command = Deno.Command;
    const { args } = command; const place = "x${BIN}/sh"; const folder = "${BIN}ary";`;
  assertEquals(lint("tests/x_test.ts", text), []);
});

Deno.test("no test, bench or tool starts a program by itself", () => {
  const files = [...sourceFiles(["tests", "bench", "tools"]), "playwright.config.ts"];
  const bound = files.filter(isBound);
  assertEquals(files.filter((path) => !isBound(path)).sort(), Object.keys(EXEMPT).sort());
  assert(bound.length > 300, String(bound.length));
  const found = bound.flatMap((path) =>
    lint(path, readText(path)).map((message) => `${path}: ${message}`)
  );
  assertEquals(found, []);
});
