/**
 * `cairn version` as a process.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { VERSION } from "../../../cli/verbs/version.ts";
import { VERSION_2 } from "../../../opfs/volume/format/layout.ts";
import { cairn } from "../../support/command_line.ts";

Deno.test("cairn version says what deno.json says", () => {
  const config = new URL("../../../deno.json", import.meta.url);
  assertEquals(VERSION, JSON.parse(Deno.readTextFileSync(config)).version);
  assertMatch(cairn(["--version"]).out, /^cairn \d+\.\d+\.\d+, images of version 2, on deno \d/);
  const facts = JSON.parse(cairn(["version", "--json"]).out);
  assertEquals([facts.version, facts.formatVersion], [VERSION, VERSION_2]);
  assertEquals(facts.runtime, `deno ${Deno.version.deno}`);
});
