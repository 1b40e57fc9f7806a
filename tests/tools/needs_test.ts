/**
 * The look-ups of tools/needs.ts: where a program is, what is missing, which suite cannot run.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { browserPath, findMissing, findProgram, TOOLS, whyBlocked } from "../../tools/needs.ts";

Deno.test("whyBlocked() names what a suite lacks", () => {
  const lost = ["firefox-esr", "clang", "lld"];
  const missing = TOOLS.filter((tool) => lost.includes(tool.package));
  assertEquals(whyBlocked("firefox", missing), "cannot run without Firefox");
  assertEquals(whyBlocked("programs", missing), "cannot run without clang, lld");
  assertEquals(whyBlocked("chromium", missing), null);
  assertEquals(whyBlocked("unit", missing), null);
});

Deno.test("findProgram() looks through the PATH in the order of the names", () => {
  const folder = Deno.makeTempDirSync();
  try {
    for (const name of ["second", "third"]) Deno.writeTextFileSync(`${folder}/${name}`, "");
    Deno.chmodSync(`${folder}/third`, 0o755);
    const env = { PATH: `relative:${folder}` };
    assertEquals(findProgram({ commands: ["first"] }, env), null);
    assertEquals(findProgram({ commands: ["second", "third"] }, env), `${folder}/third`);
    assertEquals(findProgram({ commands: ["third"] }, {}), null);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("findProgram() believes the variable, also when it is wrong", () => {
  const tool = { commands: ["sh"], variable: "BIN" };
  const PATH = "/bin";
  const [shell] = [`${PATH}/sh`];
  assertEquals(findProgram(tool, { PATH }), shell);
  assertEquals(findProgram(tool, { PATH, BIN: "" }), shell);
  assertEquals(findProgram(tool, { PATH, BIN: Deno.execPath() }), Deno.execPath());
  assertEquals(findProgram(tool, { PATH, BIN: "/no/such/program" }), null);
});

Deno.test("findMissing() finds no program in an empty PATH", () => {
  const programs = TOOLS.filter((tool) => tool.file === undefined);
  assertEquals(findMissing(programs, {}), programs);
});

Deno.test("browserPath() says what to do when the browser is missing", () => {
  assertThrows(() => browserPath("Firefox", { PATH: "" }), Error, "deno task setup");
});

Deno.test("browserPath() names a variable that leads nowhere", () => {
  const env = { FIREFOX_BIN: "/no/such/program" };
  const message = 'cannot find Firefox: FIREFOX_BIN names "/no/such/program", which is not there';
  assertThrows(() => browserPath("Firefox", env), Error, message);
});
