/**
 * The look-ups of tools/needs.ts: where a program is, what is missing, which suite cannot run.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { browserPath, findMissing, findProgram, TOOLS, whyBlocked } from "../../tools/needs.ts";

/** Runs with a variable set, and puts the old value back. */
function withVariable(name: string, value: string, run: () => void): void {
  const old = Deno.env.get(name);
  Deno.env.set(name, value);
  try {
    run();
  } finally {
    if (old === undefined) Deno.env.delete(name);
    else Deno.env.set(name, old);
  }
}

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
    withVariable("PATH", `relative:${folder}`, () => {
      assertEquals(findProgram({ commands: ["first"] }), null);
      assertEquals(findProgram({ commands: ["second", "third"] }), `${folder}/third`);
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("findProgram() believes the variable, also when it is wrong", () => {
  const tool = { commands: ["deno"], variable: "CAIRN_TEST_BIN" };
  withVariable("CAIRN_TEST_BIN", Deno.execPath(), () => {
    assertEquals(findProgram(tool), Deno.execPath());
  });
  withVariable("CAIRN_TEST_BIN", "/no/such/program", () => assertEquals(findProgram(tool), null));
});

Deno.test("findMissing() finds nothing of an empty PATH", () => {
  withVariable("PATH", "/no/such/folder", () => {
    const named = TOOLS.map(({ variable: _, ...tool }) => tool);
    assertEquals(findMissing(named).length, TOOLS.length);
  });
});

Deno.test("browserPath() says what to do when the browser is missing", () => {
  withVariable("FIREFOX_BIN", "/no/such/program", () => {
    assertThrows(() => browserPath("Firefox"), Error, "deno task setup");
  });
});
