/**
 * The numbers of `abi/` against the headers of Emscripten's C library: a C program is made from our
 * own names, compiled, and prints what the headers say.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { Errno, ErrnoAlias } from "../../abi/errno.ts";
import * as flags from "../../abi/flags.ts";
import * as mode from "../../abi/mode.ts";
import { compile, run, withFolder } from "./programs.ts";

const HEADERS = ["errno", "fcntl", "poll", "stdio", "sys/file", "sys/mman", "sys/stat", "unistd"];
/** Ours alone: what C has no name for, or has it in headers of the kernel. */
const NOT_IN_C = new Set([
  // musl counts O_PATH in, too.
  "O_ACCMODE",
  "PERMISSION_BITS",
  "MAY_READ",
  "MAY_WRITE",
  "MAY_EXECUTE",
  "RENAME_NOREPLACE",
  "RENAME_EXCHANGE",
  "XATTR_CREATE",
  "XATTR_REPLACE",
  "FALLOC_FL_ZERO_RANGE",
]);

/** Newer than the headers of this Emscripten. */
const NOT_IN_3_1_6 = new Set(["SEEK_DATA", "SEEK_HOLE"]);

/** Locks by fcntl: ours are the 64-bit commands, which later headers use under these names. */
const OTHERWISE_IN_3_1_6 = new Map([["F_GETLK", 5], ["F_SETLK", 6], ["F_SETLKW", 7]]);

/** Every number of ours that C has too, by name. */
function ours(): Map<string, number> {
  const numbers = new Map<string, number>(Object.entries({ ...Errno, ...ErrnoAlias }));
  for (const [name, value] of Object.entries({ ...flags, ...mode })) {
    if (typeof value === "number" && !NOT_IN_C.has(name)) numbers.set(name, value);
  }
  return numbers;
}

function program(names: Iterable<string>): string {
  const includes = HEADERS.map((header) => `#include <${header}.h>`);
  const lines = [...names].map((name) =>
    `#ifdef ${name}\n  printf("${name} %d\\n", (int)(${name}));\n#else\n  puts("${name} none");\n#endif`
  );
  return `${includes.join("\n")}\nint main(void) {\n${lines.join("\n")}\n  return 0;\n}\n`;
}

Deno.test("abi has the numbers of Emscripten's C headers", async () => {
  await withFolder(async (folder) => {
    const numbers = ours();
    assert(numbers.size > 180, `${numbers.size} names`);
    const source = join(folder, "numbers.c");
    await Deno.writeTextFile(source, program(numbers.keys()));
    const glue = await compile(source, folder);
    const { lines, status } = await run(glue, [], () => {});
    assertEquals(status, 0);
    const said = new Map(lines.map((line) => line.split(" ") as [string, string]));
    for (const [name, value] of numbers) {
      const known = OTHERWISE_IN_3_1_6.get(name) ?? value;
      assertEquals(said.get(name), NOT_IN_3_1_6.has(name) ? "none" : String(known), name);
    }
  });
});
