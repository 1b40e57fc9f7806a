/** The rules about errors: every way to decide by a message that is seen, and what is not. */
import { assertEquals } from "@std/assert";
import { exists } from "../../tools/project.ts";
import plugin, { EXEMPT } from "../../tools/messages.ts";

function lint(path: string, text: string): string[] {
  return Deno.lint.runPlugin(plugin, path, text).map(({ id }) => id);
}

const DECISIONS = [
  'if (error.message.startsWith("EIO")) f();',
  'if (error.message["includes"]("V9")) f();',
  "if (/V9/.test(error.message)) f();",
  "const [, rule] = /(V9)/.exec(error.message) ?? [];",
  "const action = error.message.slice(12);",
  "const action = error.message.replace(/^EIO: /, '');",
  "const [code] = error.message.split(':');",
  "const isFull = error.message === 'full';",
  "const isFull = 'full' == (error as Error).message;",
  "const isFull = (error as { message?: unknown } | null)?.message === 'full';",
  "const isFull = String(error.cause?.message ?? error).includes('full');",
  "const isFull = String(error).endsWith('full');",
  "const isFull = `${error.message}!`.endsWith('full!');",
  "const isFull = error.toString().match(/full/) !== null;",
  "const at = messageOf(error).indexOf('full');",
  "const { message } = error; const at = message.indexOf(':');",
  "const { message: said } = error as Error; const isFull = /full/.test(said);",
  "const { message = '' } = error; const isFull = message.includes('full');",
  "const text = error.message; const f = () => text.trim().startsWith('E');",
  "switch (error.message) { case 'full': f(); }",
  "function f(cause: Error) { return cause.message.slice(1); }",
  "const why = this.failure!.message.slice(3);",
];

for (const text of DECISIONS) {
  Deno.test(`messages/decision refuses ${text}`, () => {
    assertEquals(lint("opfs/x.ts", text), ["messages/decision"]);
    assertEquals(lint("tools/x.ts", text), ["messages/decision"]);
    assertEquals(lint("tests/x_test.ts", text), []);
  });
}

Deno.test("messages/decision accepts what prints, and decides by fields", () => {
  const text = `
    print(\`failed: \${error.message}\`);
    const made = new ErrnoError("EIO", "go on", { why: error.message });
    if (error.code === "EIO" && error.action === "open it") f(error.why);
    if (error.message !== undefined) f();
    if (data.message === "stop" || data.message.startsWith("x")) f();
    const { message } = finding; const first = message.slice(1);
    const one = () => { const text = error.message; return text; };
    const other = (text: string) => text.slice(1);`;
  assertEquals(lint("opfs/x.ts", text), []);
});

Deno.test("messages/why refuses a reason within the action", () => {
  for (const text of ['"open it: it is gone"', "`open it: ${why}`", "`${action}: it is gone`"]) {
    assertEquals(lint("fs/x.ts", `throw new ErrnoError("EIO", ${text});`), ["messages/why"]);
  }
  const good = [
    'new ErrnoError("EIO", "open it", { why: "V9: it is gone" });',
    "new ErrnoError('EIO', `open \"${path}\"`, { why });",
    'new ErrnoError("EIO");',
    'new ErrnoError("EIO", action);',
    'new TypeError("x: y");',
  ];
  assertEquals(lint("fs/x.ts", good.join("\n")), []);
});

Deno.test("messages leaves out files that are there", () => {
  assertEquals(Object.keys(EXEMPT).filter((path) => !exists(path)), []);
});
