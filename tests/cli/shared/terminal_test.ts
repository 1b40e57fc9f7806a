/**
 * The process's own output.
 */
import { assertEquals } from "@std/assert";
import { hostCommand } from "../../../tools/programs.ts";

const TERMINAL = new URL("../../../cli/shared/terminal.ts", import.meta.url).href;

/** Runs a program that has a terminal, and returns its two outputs. */
function outputs(program: string): [out: string, err: string] {
  const text = `import { processTerminal } from "${TERMINAL}";
    const terminal = processTerminal();
    ${program}`;
  const { stdout, stderr } = hostCommand(Deno.execPath(), {
    args: ["eval", "--quiet", text],
    stdin: "null",
  }).outputSync();
  return [new TextDecoder().decode(stdout), new TextDecoder().decode(stderr)];
}

Deno.test("processTerminal() keeps results and bytes in order, messages apart", () => {
  const [out, err] = outputs(`
    terminal.print("one\\n");
    terminal.write(new Uint8Array([0xc3, 0xbc, 10]));
    terminal.print("two\\n");
    terminal.say("beside");
    terminal.flush();`);
  assertEquals([out, err], ["one\nü\ntwo\n", "beside\n"]);
});

Deno.test("processTerminal() shows no progress in a pipe", () => {
  assertEquals(outputs(`terminal.show("50 %"); terminal.show("");`), ["", ""]);
});

Deno.test("processTerminal() loses nothing of a lot", () => {
  const [out] = outputs(`
    for (let line = 0; line < 100000; line++) terminal.print(line + "\\n");
    terminal.flush();`);
  assertEquals(out.split("\n").length, 100_001);
  assertEquals(out.endsWith("\n99999\n"), true);
});

Deno.test("processTerminal() lets no control character of a message through", () => {
  const [out, err] = outputs(`terminal.say("a\\u001b[31m\\nb\\u009b\\u007f \\\\\\\\ ü");`);
  assertEquals([out, err], ["", "a\\x1b[31m\\nb\\x9b\\x7f \\\\ ü\n"]);
});
