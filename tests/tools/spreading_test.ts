/** The rule against lists of data that become arguments: each form, and what is not. */
import { assertEquals } from "@std/assert";
import plugin from "../../tools/spreading.ts";

function lint(path: string, text: string): string[] {
  return Deno.lint.runPlugin(plugin, path, text).map(({ message }) => message);
}

const REFUSED = [
  "Math.max(0, ...sizes);",
  "Math.min(...table.map((row) => row.length));",
  "list.push(...more);",
  "this.#list.push(...this.#more);",
  "list.unshift(...found);",
  "list.splice(at, 1, ...moved);",
  "String.fromCharCode(...bytes);",
  'Math["max"](...sizes);',
  "Array.of(...list);",
  "Math.max.apply(null, sizes);",
  "function f(...args: number[]) { return Math.max(...rest); }",
];

for (const text of REFUSED) {
  Deno.test(`spreading refuses ${text}`, () => {
    assertEquals(lint("opfs/volume/x.ts", text).length, 1);
    assertEquals(lint("cli/x.ts", text).length, 1);
    assertEquals(lint("tests/x.ts", text), []);
  });
}

Deno.test("spreading accepts arrays, objects, tuples for known calls, and what is forwarded", () => {
  const text = `
    const both = [...one, ...other];
    const record = { ...one };
    futimens.call(fs, fd, ...times);
    changeTimes(this, node, ...times);
    function join(...paths: string[]) { return inner.join(...paths); }
    const pass = (...args: number[]) => { return Math.max(...args); };
    list.push(one, two);`;
  assertEquals(lint("fs/x.ts", text), []);
});
