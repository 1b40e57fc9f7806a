/** Open flags from strings. */
import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../abi/errno.ts";
import * as flags from "../../abi/flags.ts";

Deno.test("parseFlags() knows C's strings and their exclusive forms", () => {
  const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_EXCL, parseFlags } = flags;
  assertEquals(parseFlags("r"), O_RDONLY);
  assertEquals(parseFlags("r+"), O_RDWR);
  assertEquals(parseFlags("w"), O_WRONLY | O_CREAT | O_TRUNC);
  assertEquals(parseFlags("w+"), O_RDWR | O_CREAT | O_TRUNC);
  assertEquals(parseFlags("a"), O_WRONLY | O_CREAT | O_APPEND);
  assertEquals(parseFlags("a+"), O_RDWR | O_CREAT | O_APPEND);
  for (const base of ["w", "a"]) {
    assertEquals(parseFlags(`${base}x`), parseFlags(base) | O_EXCL);
    assertEquals(parseFlags(`${base}x+`), parseFlags(`${base}+`) | O_EXCL);
  }
  assertEquals(parseFlags(O_RDWR | O_CREAT), O_RDWR | O_CREAT);
});

Deno.test("parseFlags() is EINVAL for anything else", () => {
  for (const bad of ["", "rw", "b", "R", "__proto__", NaN, 1.5, Infinity]) {
    const error = assertThrows(() => flags.parseFlags(bad), ErrnoError);
    assertEquals(error.code, "EINVAL", String(bad));
  }
});

Deno.test("compound flags contain what they say they contain", () => {
  assertEquals(flags.O_SYNC & flags.O_DSYNC, flags.O_DSYNC);
  assertEquals(flags.O_TMPFILE & flags.O_DIRECTORY, flags.O_DIRECTORY);
});
