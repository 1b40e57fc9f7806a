/** Paths as text, against a small oracle. */
import { assertEquals } from "@std/assert";
import { posix } from "node:path";
import { PATH, pathFrom } from "../../fs/path.ts";
import { prng } from "../support/prng.ts";

Deno.test("PATH.normalize(), dirname() and basename() agree with an independent library", () => {
  const random = prng(7);
  const parts = ["a", "b.c", "..", ".", "", "x y", ".h", "ü"];
  for (let round = 0; round < 5000; round++) {
    const count = 1 + random.below(6);
    const path = (random.below(2) ? "/" : "") +
      Array.from({ length: count }, () => random.pick(parts)).join("/");
    if (path === "") continue;
    assertEquals(PATH.normalize(path), posix.normalize(path), path);
    if (!/\/\/|^\/*$/.test(path)) {
      assertEquals(PATH.dirname(path), posix.dirname(path), `dirname of ${path}`);
      assertEquals(PATH.basename(path), posix.basename(path), `basename of ${path}`);
    }
  }
});

Deno.test("PATH.splitPath() gives root, directory, name and extension", () => {
  assertEquals(PATH.splitPath("/a/b.tar.gz"), ["/", "a/", "b.tar.gz", ".gz"]);
  assertEquals(PATH.splitPath("b"), ["", "", "b", ""]);
  assertEquals(PATH.splitPath("/.profile"), ["/", "", ".profile", ""]);
  assertEquals(PATH.splitPath("a/.."), ["", "a/", "..", ""]);
});

Deno.test("PATH.join(), join2(), isAbs() and normalizeArray()", () => {
  assertEquals(PATH.join("/a", "", "../b", "./c"), "/b/c");
  assertEquals([PATH.join("", "a"), PATH.join("a", ""), PATH.join(".")], ["/a", "a/", "."]);
  assertEquals(PATH.join2("/a/", "b"), "/a/b");
  assertEquals([PATH.isAbs("/a"), PATH.isAbs("a")], [true, false]);
  assertEquals(PATH.normalizeArray(["a", "..", "..", "b"], true), ["..", "b"]);
  assertEquals(PATH.normalizeArray(["a", "..", "..", "b"], false), ["b"]);
  assertEquals(PATH.basename("/"), "/");
});

Deno.test("PATH_FS.resolve() and relative() start where one stands", () => {
  const here = pathFrom(() => "/home/user");
  assertEquals(here.resolve("a", "../b"), "/home/user/b");
  assertEquals(here.resolve("/x", "/y", "z"), "/y/z");
  assertEquals(here.resolve("", ".."), "/home");
  assertEquals(here.relative("/a/b/c", "/a/d"), "../../d");
  assertEquals(here.relative("b", "b/c"), "c");
  assertEquals(here.relative("/a", "/a"), "");
});
