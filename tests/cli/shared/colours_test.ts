/**
 * Names in colours.
 */
import { assertEquals } from "@std/assert";
import { coloured, wantsColours } from "../../../cli/shared/colours.ts";
import { sampleImage } from "../../support/bad_images.ts";
import { cairn, inFolder } from "../../support/command_line.ts";
import { onTerminal } from "../../support/hostile_host.ts";

function terminal(isColoured?: boolean) {
  const nothing = () => {};
  const calls = { print: nothing, write: nothing, say: nothing, show: nothing, flush: nothing };
  return isColoured === undefined ? calls : { ...calls, isColoured };
}

Deno.test("wantsColours() honours NO_COLOR, and a terminal that has none", () => {
  const TERM = "xterm";
  assertEquals([{ TERM }, { TERM, NO_COLOR: "" }].map(wantsColours), [true, true]);
  const without = [{ TERM, NO_COLOR: "1" }, { TERM, NO_COLOR: "0" }, { TERM: "dumb" }, {}];
  assertEquals(without.map(wantsColours), [false, false, false, false]);
});

Deno.test("coloured() paints by type, and nothing where there are no colours", () => {
  const modes = [0o040755, 0o120777, 0o100755, 0o010644, 0o020666];
  const around = modes.map((mode) => coloured("x", mode, terminal(true)).split("x"));
  assertEquals(around.map(([, end]) => end), modes.map(() => "\x1b[0m"));
  const colours = around.map(([start]) => start!.slice(2, -1));
  assertEquals(colours, ["1;34", "36", "32", "33", "33"]);
  assertEquals(coloured("x", 0o100644, terminal(true)), "x");
  for (const mode of modes) {
    assertEquals([coloured("x", mode, terminal(false)), coloured("x", mode, terminal())], [
      "x",
      "x",
    ]);
  }
});

Deno.test("cairn ls and tree have colours on a terminal, none with NO_COLOR and in a pipe", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const plain = cairn(["ls", "-R", "v"], { cwd: folder }).out;
    const env = { TERM: "xterm", NO_COLOR: "" };
    const coloured = onTerminal(["ls", "-R", "v"], folder, env).replaceAll("\r", "");
    // deno-lint-ignore no-control-regex
    assertEquals([coloured.replace(/\x1b\[[\d;]*m/g, ""), coloured === plain], [plain, false]);
    assertEquals(coloured.includes("\x1b[1;34mdir\x1b[0m"), true);
    assertEquals(onTerminal(["tree", "v"], folder, env).includes("\x1b[1;34mdir\x1b[0m/"), true);
    const without = onTerminal(["ls", "-R", "v"], folder, { TERM: "xterm", NO_COLOR: "1" });
    assertEquals(without.replaceAll("\r", ""), plain);
  });
});
