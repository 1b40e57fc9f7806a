/**
 * The calls of tools/std/path/mod.ts, with the values that the real package gives on POSIX.
 */
import { assertEquals } from "@std/assert";
import * as path from "../../../../tools/std/path/mod.ts";

Deno.test("path stand-in gives std's answers", () => {
  assertEquals(path.basename("/a/b.ts"), "b.ts");
  assertEquals(path.basename("/a/b.ts", ".ts"), "b");
  assertEquals(path.dirname("/a/b.ts"), "/a");
  assertEquals(path.extname("b.tar.gz"), ".gz");
  assertEquals(path.isAbsolute("/a"), true);
  assertEquals(path.isAbsolute("a"), false);
  assertEquals(path.join("/a", "..", "b"), "/b");
  assertEquals(path.normalize("/a//./b/.."), "/a");
  assertEquals(path.relative("/a/b", "/a/c"), "../c");
  assertEquals(path.resolve("/a", "b", "../c"), "/a/c");
  assertEquals(path.SEPARATOR, "/");
});

Deno.test("path stand-in goes from file URLs to paths and back", () => {
  assertEquals(path.fromFileUrl("file:///a%20b"), "/a b");
  assertEquals(path.toFileUrl("/a b").href, "file:///a%20b");
});
