/**
 * The table of tools/stages.ts against this checkout and against its neighbours.
 */
import { assert, assertEquals } from "@std/assert";
import { entryPoints } from "../../tools/project.ts";
import { listStages } from "../../tools/stages.ts";

Deno.test("listStages() gives each stage a name of its own", () => {
  const names = listStages().map((stage) => stage.name);
  assertEquals(new Set(names).size, names.length);
});

Deno.test("listStages() has every step of the gate in the set ok", () => {
  const ok = listStages().filter((stage) => stage.set === "ok").map((stage) => stage.name);
  const checks = ["fmt", "lint", "check", "doc", "length", "assertions", "words", "mirror"];
  assertEquals(ok, [...checks, "exports", "generated", "unit", "doctest", "publish"]);
});

Deno.test("listStages() lints the documentation of every entry point", () => {
  const doc = listStages().find((stage) => stage.name === "doc");
  assertEquals(doc?.command.slice(2), entryPoints());
});

Deno.test("listStages() asks for a report wherever tests are counted", () => {
  for (const { name, form, command, env } of listStages()) {
    const words = [...command, ...Object.values(env ?? {})].join(" ");
    assertEquals(words.includes("{report}"), form !== "exit", name);
  }
});

Deno.test("listStages() leaves browsers, C programs and mounts out of the unit stage", () => {
  const unit = listStages().find((stage) => stage.name === "unit");
  assert(unit?.command.includes("--ignore=tests/browser,tests/programs,tests/mount"));
});
