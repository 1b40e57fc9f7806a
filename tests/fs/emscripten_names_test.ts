/** Every name of Emscripten's FS is here, or docs/EMSCRIPTEN.md says why not. */
import { assert, assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import names from "./emscripten_names.json" with { type: "json" };

const page = Deno.readTextFileSync(new URL("../../docs/EMSCRIPTEN.md", import.meta.url));

/** The names in the first column of the table below a heading. */
function listed(heading: string): Set<string> {
  const section = page.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const cells = section.split("\n").filter((line) => line.startsWith("| `")).map((line) =>
    line.split("|")[1] ?? ""
  );
  return new Set(cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map((match) => match[1]!)));
}

const missing = listed("Names that are missing");
const differing = listed("Names that take other arguments");
const fs = createFS() as unknown as Record<string, unknown>;

Deno.test("FS has every function of Emscripten's, with as many arguments", () => {
  const wrong: string[] = [];
  for (const [name, count] of Object.entries(names.functions)) {
    const member = fs[name];
    if (missing.has(name) || differing.has(name)) continue;
    if (typeof member !== "function") wrong.push(`${name} is missing`);
    else if (member.length !== count) wrong.push(`${name} takes ${member.length}, not ${count}`);
  }
  assertEquals(wrong, []);
});

Deno.test("FS has every value of Emscripten's", () => {
  const wrong = names.values.filter((name) => !(name in fs) && !missing.has(name));
  assertEquals(wrong, []);
});

Deno.test("docs/EMSCRIPTEN.md excuses nothing that is there, and nothing unknown", () => {
  assert(missing.size > 10 && differing.size > 0);
  const known = new Set([...Object.keys(names.functions), ...names.values]);
  assertEquals([...missing, ...differing].filter((name) => !known.has(name)), []);
  assertEquals([...missing].filter((name) => name in fs), []);
  assertEquals([...differing].filter((name) => !(name in fs)), []);
});
