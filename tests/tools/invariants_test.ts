/** The rule about messages of invariants: each form, and what is not. */
import { assertEquals } from "@std/assert";
import plugin from "../../tools/invariants.ts";

function lint(path: string, text: string): string[] {
  return Deno.lint.runPlugin(plugin, path, text).map(({ message }) => message);
}

const REFUSED = [
  "invariant(isRight, `V1: block ${block}`);",
  'invariant(isRight, "V1: block " + block);',
  "invariant(isRight, textOf(block));",
  "invariant(isRight);",
  'invariant(isRight, "V1: block {}");',
  'invariant(isRight, "V1: block {}", block, count);',
  'invariant(isRight, "V1: a block", block);',
];

for (const text of REFUSED) {
  Deno.test(`invariants/message refuses ${text}`, () => {
    assertEquals(lint("opfs/volume/x.ts", text).length, 1);
    assertEquals(lint("tests/x.ts", text), []);
  });
}

Deno.test("invariants/message accepts a text with a value for each place, and other calls", () => {
  const text = `
    invariant(isRight, "V1: a block");
    invariant(isRight, "V1: {} blocks at {}", count, block);
    state.invariant(isRight, \`V1: \${block}\`);
    fail(\`V1: \${block}\`);`;
  assertEquals(lint("opfs/volume/x.ts", text), []);
});
