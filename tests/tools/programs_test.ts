/**
 * The one place that starts programs: what it refuses, and what a program that it started can see.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BASE, findProgram, programNames, TOOLS } from "../../tools/needs.ts";
import { hostCommand, isThere, pathOf } from "../../tools/programs.ts";

const NO_ROW = "has no row in tools/needs.ts";

function outOf(command: Deno.Command): string {
  return new TextDecoder().decode(command.outputSync().stdout);
}

Deno.test("hostCommand() refuses a program without a row, also one that is there", () => {
  const there = ["yes", "nproc", "dirname"].find((name) =>
    findProgram({ commands: [name] }) !== null
  )!;
  assertEquals(programNames().includes(there), false);
  for (const name of [there, "no-such-program", "", "./sh"]) {
    assertThrows(() => hostCommand(name), Error, NO_ROW);
  }
  assertThrows(() => isThere(there), Error, NO_ROW);
});

Deno.test("hostCommand() refuses the path of such a program, and takes a path elsewhere", () => {
  const path = findProgram({ commands: ["nproc"] })!;
  assertThrows(() => hostCommand(path), Error, "give it a row");
  assertEquals(pathOf(pathOf("sh")), pathOf("sh"));
  assertEquals(pathOf("/built/by/a/test"), "/built/by/a/test");
  assertEquals(pathOf(Deno.execPath()), Deno.execPath());
});

Deno.test("hostCommand() says what to do when a listed program is missing", () => {
  assertThrows(() => pathOf("setfattr", { PATH: "" }), Error, 'run "deno task setup"');
});

Deno.test("a script sees the listed programs and no others, and so does what it starts", () => {
  const script = "command -v cat >&2; nproc; sh -c 'exec nproc'; echo $?";
  const ended = hostCommand("sh", { args: ["-c", script], env: { PATH: "/bin" } }).outputSync();
  const said = new TextDecoder().decode(ended.stderr);
  assertEquals(new TextDecoder().decode(ended.stdout), "127\n", said);
  assert(said.includes("cairn_programs_") && said.includes("nproc"), said);
});

Deno.test("what a package brings sees the machine's PATH, also when a script starts it", () => {
  const script = `python3 -c 'import os; print(os.environ["PATH"])'`;
  const seen = outOf(hostCommand("sh", { args: ["-c", script] })).trim();
  // A version manager puts a folder of its own in front.
  assert(seen.endsWith(Deno.env.get("PATH")!) && !seen.includes("cairn_programs_"), seen);
});

Deno.test("a script of others sees the machine's PATH, also when a narrow one is around it", () => {
  const args = ["-c", 'printf %s "$PATH"'];
  const whole = outOf(hostCommand("sh", { args, runsOthers: true }));
  assertEquals(whole, Deno.env.get("PATH"));
  const module = new URL("../../tools/programs.ts", import.meta.url).href;
  const text = `import { hostCommand } from "${module}";
    const { stdout } = hostCommand("sh", { args: ${JSON.stringify(args)}, runsOthers: true })
      .outputSync();
    console.log(new TextDecoder().decode(stdout));`;
  const inner = hostCommand(Deno.execPath(), { args: ["eval", "--quiet", text] });
  assertEquals(outOf(inner).trim(), whole);
});

Deno.test("the folder of links ends with the process that made it", () => {
  const module = new URL("../../tools/programs.ts", import.meta.url).href;
  const text = `import { hostCommand } from "${module}";
    const command = hostCommand("sh", { args: ["-c", 'printf %s "$PATH"'] });
    console.log(new TextDecoder().decode(command.outputSync().stdout));`;
  const folder = outOf(hostCommand(Deno.execPath(), { args: ["eval", "--quiet", text] })).trim();
  assert(folder.includes("cairn_programs_"), folder);
  assertThrows(() => Deno.statSync(folder), Deno.errors.NotFound);
});

Deno.test("each program has one row", () => {
  const names = programNames();
  assertEquals(names.length, new Set(names).size);
  const packages = new Set(TOOLS.map((tool) => tool.package));
  assertEquals(Object.keys(BASE).filter((name) => packages.has(name)), []);
});
