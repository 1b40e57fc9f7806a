/** Modes: the seven types against the seven predicates, and what ls shows. */
import { assertEquals } from "@std/assert";
import * as mode from "../../abi/mode.ts";

const kinds: [string, number, (mode: number) => boolean, string][] = [
  ["socket", mode.S_IFSOCK, mode.isSocket, "s"],
  ["link", mode.S_IFLNK, mode.isLink, "l"],
  ["file", mode.S_IFREG, mode.isFile, "-"],
  ["block device", mode.S_IFBLK, mode.isBlkdev, "b"],
  ["directory", mode.S_IFDIR, mode.isDir, "d"],
  ["character device", mode.S_IFCHR, mode.isChrdev, "c"],
  ["FIFO", mode.S_IFIFO, mode.isFIFO, "p"],
];

Deno.test("isFile() and its kin distinguish each type from the six others", () => {
  for (const [row, type] of kinds) {
    for (const [column, , predicate] of kinds) {
      assertEquals(predicate(type | 0o7777), row === column, `${row} by ${column}`);
    }
  }
});

Deno.test("formatMode() shows type, classes and special bits", () => {
  for (const [, type, , letter] of kinds) {
    assertEquals(mode.formatMode(type | 0o750), `${letter}rwxr-x---`);
  }
  assertEquals(mode.formatMode(mode.S_IFREG | 0o4755), "-rwsr-xr-x");
  assertEquals(mode.formatMode(mode.S_IFREG | 0o6644), "-rwSr-Sr--");
  assertEquals(mode.formatMode(mode.S_IFDIR | 0o1777), "drwxrwxrwt");
  assertEquals(mode.formatMode(mode.S_IFDIR | 0o1776), "drwxrwxrwT");
  assertEquals(mode.formatMode(0o644), "?rw-r--r--");
});
